/* current_thread() and get_native_id(), without a Python frame.

   threading looks the caller up in a dictionary by its identifier; the kernel is asked for the
   native id each time.  Here each thread keeps both answers for itself.

   The Thread object is known from _enter(thread) to _leave(), which Thread's bootstrap calls
   first and last; the caller keeps it alive in between, for a reference of ours would never be
   dropped in the child of a fork that does not have the thread.  A thread that was not started
   by our Thread, or whose end has come, is looked up by the function that _set_finder() was given.

   An OS thread may serve several interpreters, one after the other, each with a thread state
   of its own: what is known counts only for the thread state that told it.  A thread state
   does not end, and its address is not used again, between _enter() and _leave().

   The native id changes only in the child of a fork, where thread.c forgets it. */

#include "current.h"

#include "thread.h"
#include "types.h"

static _Thread_local struct {
    PyThreadState *state;
    PyObject *thread; /* borrowed, while `state` is set */
} here FTT_TLS_MODEL;

static PyObject *
current_thread(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    if (here.state == PyThreadState_Get()) {
        return Py_NewRef(here.thread);
    }
    ftt_module_state *state = PyModule_GetState(module);
    return PyObject_CallNoArgs(state->finder);
}

static PyObject *
set_finder(PyObject *module, PyObject *finder)
{
    ftt_module_state *state = PyModule_GetState(module);
    Py_XSETREF(state->finder, Py_NewRef(finder));
    Py_RETURN_NONE;
}

static PyObject *
enter(PyObject *Py_UNUSED(module), PyObject *thread)
{
    here.thread = thread;
    here.state = PyThreadState_Get();
    Py_RETURN_NONE;
}

static PyObject *
leave(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    if (here.state == PyThreadState_Get()) {
        here.state = NULL;
    }
    Py_RETURN_NONE;
}

#ifdef PY_HAVE_THREAD_NATIVE_ID
static PyObject *
get_native_id(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    if (ftt_this_thread.native_id == 0) {
        ftt_this_thread.native_id = PyThread_get_thread_native_id();
    }
    return PyLong_FromUnsignedLong(ftt_this_thread.native_id);
}
#endif

PyDoc_STRVAR(current_thread_doc,
             "current_thread()\n--\n\n"
             "Return the Thread object of the caller's thread of control.\n\n"
             "For a thread that was not started through threading it is a dummy, which can be\n"
             "asked for its names and numbers but not joined.  Raises nothing; any thread and\n"
             "any signal handler may call it.");

PyDoc_STRVAR(native_id_doc, "get_native_id()\n--\n\n"
                            "Return the number by which the kernel knows the calling thread.\n\n"
                            "It may be used again when the thread has ended.  Raises nothing.");

PyMethodDef ftt_current_methods[] = {
    {"current_thread", current_thread, METH_NOARGS, current_thread_doc},
#ifdef PY_HAVE_THREAD_NATIVE_ID
    {"get_native_id", get_native_id, METH_NOARGS, native_id_doc},
#endif
    {"_set_finder", set_finder, METH_O, NULL},
    {"_enter", enter, METH_O, NULL},
    {"_leave", leave, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
