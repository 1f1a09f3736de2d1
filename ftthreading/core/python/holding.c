/* _holding(lock, function, *arguments): call the function while the lock is held.

   What `with` is for, but for signal handlers: in CPython 3.14 one may run after a lock was taken
   and before the `with` block is entered, and if it raises, nobody releases the lock.  No handler
   runs between two calls that C makes.  One that runs inside acquire() ends it without the lock;
   one that runs inside the function ends that, and the lock is released. */

#include "holding.h"

static PyObject *
holding(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    if (count < 2) {
        PyErr_SetString(PyExc_TypeError, "_holding() needs a lock and a function");
        return NULL;
    }
    PyObject *taken = PyObject_CallMethod(arguments[0], "acquire", NULL);
    if (taken == NULL) {
        return NULL;
    }
    Py_DECREF(taken);
    PyObject *answer = PyObject_Vectorcall(arguments[1], arguments + 2, (size_t)count - 2, NULL);
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *released = PyObject_CallMethod(arguments[0], "release", NULL);
    if (released == NULL) {
        Py_CLEAR(answer);
        Py_XDECREF(raised);
        return NULL;
    }
    Py_DECREF(released);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return answer;
}

PyMethodDef ftt_holding_methods[] = {
    {"_holding", (PyCFunction)(void (*)(void))holding, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
