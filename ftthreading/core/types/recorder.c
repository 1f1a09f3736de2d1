/* Calling a recorder, if there is one.  Nothing that it does is told to it again. */

#include "recorder.h"

#include "os/atomics.h"

static _Thread_local bool recording FTT_TLS_MODEL;

static ftt_module_state *
state_of(PyObject *lock)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(lock), &ftt_module);
    if (module == NULL) {
        PyErr_Clear();
        return NULL;
    }
    return PyModule_GetState(module);
}

int
ftt_tell(PyObject *lock, int event, bool with, bool stuck)
{
    ftt_module_state *state = recording ? NULL : state_of(lock);
    if (state == NULL || !atomic_load_explicit(&state->tracing, memory_order_acquire)) {
        return 0;
    }
    PyObject *arguments[] = {lock, with ? Py_True : Py_False, stuck ? Py_True : Py_False};
    recording = true;
    PyObject *answer = PyObject_Vectorcall(state->recorder[event], arguments, 3, NULL);
    recording = false;
    int truth = answer == NULL ? -1 : answer == Py_True;
    Py_XDECREF(answer);
    return truth;
}

PyObject *
ftt_trace_made(PyObject *lock)
{
    if (lock != NULL && ftt_tell(lock, FTT_MADE, false, false) < 0) {
        Py_CLEAR(lock);
    }
    return lock;
}
