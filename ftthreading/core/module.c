/* ftthreading._core: names and types, nothing else. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <Python.h>

#include "current.h"
#include "holding.h"
#include "park.h"
#include "spin.h"
#include "stand_in.h"
#include "types.h"

/* The class of that name in threading, if it can be the base of ours: a class in Python, whose
   instances have no layout of their own.  NULL without an exception if it can't, because somebody
   has put something else there, which may be our own class. */
static PyObject *
class_in_python(PyObject *threading, const char *name)
{
    PyObject *class = NULL;
    if (PyObject_GetOptionalAttrString(threading, name, &class) > 0 &&
        (!PyType_CheckExact(class) ||
         (PyType_GetFlags((PyTypeObject *)class) & FTT_CLASS_FLAGS) != FTT_CLASS_FLAGS ||
         ((PyTypeObject *)class)->tp_basicsize != PyBaseObject_Type.tp_basicsize)) {
        Py_CLEAR(class);
    }
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
add_heir(PyObject *module, const char *name, PyType_Spec *spec, PyObject *threading,
         PyTypeObject *base, PyTypeObject **kept)
{
    PyObject *theirs = class_in_python(threading, name);
    if (theirs == NULL && PyErr_Occurred()) {
        return -1;
    }
    PyObject *bases = base != NULL && theirs != NULL ? PyTuple_Pack(2, base, theirs)
                      : base != NULL                 ? PyTuple_Pack(1, base)
                      : theirs != NULL               ? PyTuple_Pack(1, theirs)
                                                     : PyTuple_New(0);
    Py_XDECREF(theirs);
    if (bases == NULL) {
        return -1;
    }
    int result =
        add_type(module, name, spec, NULL, PyTuple_GET_SIZE(bases) != 0 ? bases : NULL, kept);
    Py_DECREF(bases);
    return result;
}

static int
add_types(PyObject *module)
{
    ftt_module_state *state = PyModule_GetState(module);
    PyObject *threading = PyImport_ImportModule("threading");
    if (threading == NULL) {
        return -1;
    }
    state->lock_class = (PyTypeObject *)PyType_FromModuleAndSpec(module, &ftt_lock_class_spec,
                                                                 (PyObject *)&PyType_Type);
    int failed =
        state->lock_class == NULL ||
        add_type(module, "Lock", &ftt_lock_spec, state->lock_class, NULL, &state->lock) < 0 ||
        add_type(module, "RLock", &ftt_rlock_spec, state->lock_class, NULL, &state->rlock) < 0 ||
        add_heir(module, "Condition", &ftt_condition_spec, threading, NULL, &state->condition) <
            0 ||
        add_heir(module, "Semaphore", &ftt_semaphore_spec, threading, NULL, &state->semaphore) <
            0 ||
        add_heir(module, "BoundedSemaphore", &ftt_bounded_semaphore_spec, threading,
                 state->semaphore, NULL) < 0 ||
        add_heir(module, "Event", &ftt_event_spec, threading, NULL, NULL) < 0 ||
        add_heir(module, "Barrier", &ftt_barrier_spec, threading, NULL, NULL) < 0;
    Py_DECREF(threading);
    return failed ? -1 : 0;
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

/* _adopt(type, name, function): makes the Python function a method of our type, with our C as its
   fast path where there is some (function.h). */
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
            int failed = ftt_adopt((PyTypeObject *)type, tables[i].functions, name, function);
            return failed ? NULL : Py_NewRef(Py_None);
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

/* Whether waiters are to let those who wake them go first (spin.h). */
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
    ftt_spin_init(is_gentle());
    if (ftt_blocking_init() < 0) {
        return -1;
    }
    if (PyModule_AddFunctions(module, ftt_current_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_holding_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_barrier_module_methods) < 0 ||
        PyModule_AddFunctions(module, ftt_stand_in_methods) < 0) {
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
    Py_VISIT(state->finder);
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
    Py_CLEAR(state->finder);
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
