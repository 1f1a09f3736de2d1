/* What the modules in C share: their types' life, and the clock. */

#ifndef PERF_SHARED_H
#define PERF_SHARED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <stdint.h>
#include <time.h>

#define LINE 128 /* two cache lines: x86 fetches them in pairs */

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* For types whose instances refer to nothing but their type. */

static inline int plain_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static inline void plain_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    type->tp_free(self);
    Py_DECREF(type);
}

#define PLAIN_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MANAGED_WEAKREF)

/* Makes the types, as many as there are before a NULL. */
static inline int add_plain_types(PyObject *module, PyType_Spec *const *specs)
{
    for (; *specs != NULL; specs++) {
        PyObject *type = PyType_FromModuleAndSpec(module, *specs, NULL);
        if (type == NULL)
            return -1;
        int failed = PyModule_AddType(module, (PyTypeObject *)type);
        Py_DECREF(type);
        if (failed)
            return -1;
    }
    return 0;
}

#endif
