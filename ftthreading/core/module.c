/* ftthreading._core: names and types, nothing else. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <Python.h>

#include "inspection/inspection.h"
#include "parking/park.h"
#include "parking/policy.h"
#include "python/current.h"
#include "python/holding.h"
#include "profiling/profiling.h"
#include "python/wake.h"
#include "tracing/tracing.h"
#include "types/stand_in.h"
#include "types/types.h"

static bool
is_the_interpreters(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleName(type);
    bool so = module != NULL && PyUnicode_Check(module) &&
              PyUnicode_EqualToUTF8(module, "threading") && PyType_CheckExact(type) &&
              (PyType_GetFlags(type) & FTT_CLASS_FLAGS) == FTT_CLASS_FLAGS &&
              type->tp_basicsize == PyBaseObject_Type.tp_basicsize;
    Py_XDECREF(module);
    PyErr_Clear();
    return so;
}

/* The class of that name in threading, the base of ours; behind our own, if another copy of us is
   installed.  ImportError if somebody has put something else in its place. */
static PyObject *
interpreters_class(PyObject *threading, const char *name)
{
    PyObject *found = PyObject_GetAttrString(threading, name);
    PyObject *order = found != NULL && PyType_Check(found) ? ((PyTypeObject *)found)->tp_mro : NULL;
    PyObject *class = NULL;
    for (Py_ssize_t i = 0; class == NULL && order != NULL && i < PyTuple_GET_SIZE(order); i++) {
        PyObject *each = PyTuple_GET_ITEM(order, i);
        class = is_the_interpreters((PyTypeObject *)each) ? Py_NewRef(each) : NULL;
    }
    if (found != NULL && class == NULL) {
        PyErr_Format(PyExc_ImportError,
                     "threading.%s has been replaced by %R; import ftthreading before that is done",
                     name, found);
    }
    Py_XDECREF(found);
    return class;
}

/* Makes a type of the module; *kept, if given, gets a reference of its own. */
static int
add_type(PyObject *module, const char *name, PyType_Spec *spec, PyTypeObject *metaclass,
         PyObject *bases, PyTypeObject **kept)
{
    PyObject *type = PyType_FromMetaclass(metaclass, module, spec, bases);
    if (type != NULL && kept != NULL) {
        *kept = (PyTypeObject *)Py_NewRef(type);
    }
    return PyModule_Add(module, name, type);
}

/* The same for a type that inherits from threading's of the same name, so that whoever got hold of
   that one finds instances of it in ours; `base`, if given, comes first. */
static int
add_subclass(PyObject *module, const char *name, PyType_Spec *spec, PyObject *threading,
         PyTypeObject *base, PyTypeObject **kept)
{
    PyObject *theirs = interpreters_class(threading, name);
    PyObject *bases = theirs == NULL ? NULL
                      : base != NULL ? PyTuple_Pack(2, base, theirs)
                                     : PyTuple_Pack(1, theirs);
    Py_XDECREF(theirs);
    if (bases == NULL) {
        return -1;
    }
    int result = add_type(module, name, spec, NULL, bases, kept);
    Py_DECREF(bases);
    return result;
}

static int
add_types(PyObject *module)
{
    ftt_module_state *state = PyModule_GetState(module);
    PyObject *threading = state->threading;
    state->lock_class = (PyTypeObject *)PyType_FromModuleAndSpec(module, &ftt_lock_class_spec,
                                                                 (PyObject *)&PyType_Type);
    if (state->lock_class == NULL ||
        add_type(module, "Lock", &ftt_lock_spec, state->lock_class, NULL, &state->lock) < 0 ||
        add_type(module, "RLock", &ftt_rlock_spec, state->lock_class, NULL, &state->rlock) < 0 ||
        add_subclass(module, "Condition", &ftt_condition_spec, threading, NULL, &state->condition) <
            0 ||
        add_subclass(module, "Semaphore", &ftt_semaphore_spec, threading, NULL, &state->semaphore) <
            0 ||
        add_subclass(module, "BoundedSemaphore", &ftt_bounded_semaphore_spec, threading,
                 state->semaphore, NULL) < 0 ||
        add_subclass(module, "Event", &ftt_event_spec, threading, NULL, NULL) < 0 ||
        add_subclass(module, "Barrier", &ftt_barrier_spec, threading, NULL, NULL) < 0 ||
        add_type(module, "_Launch", &ftt_launch_spec, NULL, NULL, NULL) < 0) {
        return -1;
    }
    return 0;
}

static int
keep_threading(PyObject *module)
{
    ftt_module_state *state = PyModule_GetState(module);
    state->threading = PyImport_ImportModule("threading");
    if (state->threading == NULL) {
        return -1;
    }
    state->their_rlock = PyObject_GetAttrString(state->threading, "RLock");
    return state->their_rlock == NULL ? -1 : 0;
}

static const struct {
    const char *name; /* of the type */
    const ftt_function *functions;
} tables[] = {
    {"Condition", ftt_condition_functions},
    {"Semaphore", ftt_semaphore_functions},
    {"BoundedSemaphore", ftt_bounded_semaphore_functions},
    {"Event", ftt_event_functions},
    {"Barrier", ftt_barrier_functions},
};

/* _adopt(type, name, function): makes the Python function a method of our type with C as its fast
   path (function.h); False, and nothing done, if there is none. */
static PyObject *
adopt(PyObject *module, PyObject *args)
{
    PyObject *type, *name, *function;
    if (!PyArg_ParseTuple(args, "O!UO!:_adopt", &PyType_Type, &type, &name, &PyFunction_Type,
                          &function)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        PyObject *ours = PyObject_GetAttrString(module, tables[i].name);
        if (ours == NULL) {
            return NULL;
        }
        Py_DECREF(ours);
        if (ours == type) {
            int found =
                ftt_install_method((PyTypeObject *)type, tables[i].functions, name, function);
            return found < 0 ? NULL : PyBool_FromLong(found);
        }
    }
    PyErr_Format(PyExc_TypeError, "%R has no functions of the interpreter's", type);
    return NULL;
}

/* _spin_limit(): for tests. */
static PyObject *
spin_limit(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromUnsignedLong(ftt_load(&ftt_spin_limit));
}

static PyMethodDef methods[] = {
    {"_adopt", adopt, METH_VARARGS, NULL},
    {"_spin_limit", spin_limit, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* Whether waiters are to let those who wake them go first (policy.h). */
static bool
is_gentle(void)
{
    const char *value = getenv("FTTHREADING_GENTLE");
    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

static int
exec_module(PyObject *module)
{
    if (ftt_park_init() != 0) {
        PyErr_NoMemory();
        return -1;
    }
    ftt_policy_init(is_gentle());
    if (ftt_blocking_init() < 0) {
        return -1;
    }
    if (PyModule_AddFunctions(module, ftt_current_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_holding_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_barrier_module_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_join_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_inspect_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_wake_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_profiling_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_stand_in_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_tracing_methods) < 0) {
        return -1;
    }
    return keep_threading(module) < 0 ? -1 : add_types(module);
}

static int
traverse_module(PyObject *module, visitproc visit, void *arg)
{
    ftt_module_state *state = PyModule_GetState(module);
    Py_VISIT(state->lock_class);
    Py_VISIT(state->lock);
    Py_VISIT(state->rlock);
    Py_VISIT(state->condition);
    Py_VISIT(state->semaphore);
    Py_VISIT(state->threading);
    Py_VISIT(state->their_rlock);
    for (int i = 0; i < FTT_EVENTS; i++) {
        Py_VISIT(state->recorder[i]);
    }
    return 0;
}

static int
clear_module(PyObject *module)
{
    ftt_module_state *state = PyModule_GetState(module);
    Py_CLEAR(state->lock_class);
    Py_CLEAR(state->lock);
    Py_CLEAR(state->rlock);
    Py_CLEAR(state->condition);
    Py_CLEAR(state->semaphore);
    Py_CLEAR(state->threading);
    Py_CLEAR(state->their_rlock);
    for (int i = 0; i < FTT_EVENTS; i++) {
        Py_CLEAR(state->recorder[i]);
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec_module},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

PyModuleDef ftt_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ftthreading._core",
    .m_doc = "The compiled half of ftthreading.",
    .m_size = sizeof(ftt_module_state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse_module,
    .m_clear = clear_module,
};

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&ftt_module);
}
