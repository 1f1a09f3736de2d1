/* Turning on and off what tells a recorder of locks (tracing.c).

   While it is off nothing is different, and nothing is asked: what is on is another function.

     methods of Lock, RLock and Condition that C defines: the interpreter reads the function out of
         the PyMethodDef at each call, and the tables are our own static arrays; so a pointer is
         exchanged there.  (A trace that a JIT has compiled may have the old one in it.  It then
         calls a function that works, unseen.)
     methods of Condition that are functions (function.h): their vectorcall is exchanged.
     Lock() and RLock(): the tp_alloc of the two types.  A subclass has a tp_alloc of its own, and
         asks (rlock_type.c).

   Each is one pointer-sized store, atomic, with release; both functions do the same to the lock, so
   it does not matter which one another thread meanwhile calls, nor that a lock is taken under
   the one and released under the other: the recorder bears to hear of a release without an
   acquire, and the reverse.  The tables are the process's, the recorder an interpreter's: the first
   one that turns tracing on exchanges them, the last one that turns it off puts them back, under a
   mutex.

   Fork: the mutex is held for some stores, and a child that is forked meanwhile may never turn
   tracing on or off; nothing else of it is touched. */

#include "os/atomics.h"
#include "python/object.h"
#include "tracing.h"
#include "types/types.h"

static PyMutex exchanging;
static unsigned int tracers; /* interpreters; under the mutex */

static void
exchange_methods(void)
{
    for (ftt_traced_method *row = ftt_traced_methods; row->table != NULL; row++) {
        PyMethodDef *method = row->table;
        while (strcmp(method->ml_name, row->name) != 0) {
            method++;
        }
        PyCFunction before = method->ml_meth;
        atomic_store_explicit((_Atomic(PyCFunction) *)&method->ml_meth, row->other,
                              memory_order_release);
        row->other = before;
    }
}

/* Those of the interpreter's own objects. */
static int
exchange_functions(ftt_module_state *state, bool on)
{
    PyObject *namespace = PyType_GetDict(state->condition);
    for (const ftt_function *row = ftt_traced_functions; row->name != NULL; row++) {
        PyObject *function;
        if (PyDict_GetItemStringRef(namespace, row->name, &function) < 0) {
            Py_DECREF(namespace);
            return -1;
        }
        /* A program may have put something else there. */
        vectorcallfunc plain = ftt_plain_call(row->name), traced = row->call;
        if (function != NULL && PyFunction_Check(function) &&
            ((PyFunctionObject *)function)->vectorcall == (on ? plain : traced)) {
            atomic_store_explicit(
                (_Atomic(vectorcallfunc) *)&((PyFunctionObject *)function)->vectorcall,
                on ? traced : plain, memory_order_release);
        }
        Py_XDECREF(function);
    }
    Py_DECREF(namespace);
    return 0;
}

static void
set_alloc(PyTypeObject *type, allocfunc alloc)
{
    atomic_store_explicit((_Atomic(allocfunc) *)&type->tp_alloc, alloc, memory_order_release);
}

static int
turn(ftt_module_state *state, bool on)
{
    int failed = 0;
    PyMutex_Lock(&exchanging);
    if (atomic_load_explicit(&state->tracing, memory_order_relaxed) != on) {
        failed = exchange_functions(state, on);
        if (!failed) {
            set_alloc(state->lock, on ? ftt_traced_alloc : PyType_GenericAlloc);
            set_alloc(state->rlock, on ? ftt_traced_alloc : PyType_GenericAlloc);
            if (tracers == (on ? 0 : 1)) {
                exchange_methods();
            }
            tracers += on ? 1u : -1u;
            atomic_store_explicit(&state->tracing, on, memory_order_release);
        }
    }
    PyMutex_Unlock(&exchanging);
    return failed;
}

/* The recorder is set once: others may be calling it at any time. */
static int
set_recorder(ftt_module_state *state, PyObject *const *callables)
{
    for (int i = 0; i < FTT_EVENTS; i++) {
        if (!PyCallable_Check(callables[i])) {
            PyErr_Format(PyExc_TypeError, "_trace() cannot call %R", callables[i]);
            return -1;
        }
        if (state->recorder[0] != NULL && state->recorder[i] != callables[i]) {
            PyErr_SetString(PyExc_RuntimeError, "_trace() has another recorder");
            return -1;
        }
    }
    for (int i = FTT_EVENTS; i-- > 0 && state->recorder[i] == NULL;) {
        state->recorder[i] = Py_NewRef(callables[i]);
    }
    return 0;
}

static PyObject *
trace(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    ftt_module_state *state = PyModule_GetState(module);
    bool on = count == FTT_EVENTS;
    if (!on && (count != 1 || arguments[0] != Py_None)) {
        PyErr_SetString(PyExc_TypeError, "_trace() needs a recorder's functions, or None");
        return NULL;
    }
    if ((on && set_recorder(state, arguments) < 0) || turn(state, on) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyMethodDef ftt_tracing_methods[] = {
    {"_trace", FTT_FASTCALL(trace), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
