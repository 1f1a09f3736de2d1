/* current_thread() and get_native_id(), without a Python frame.

   threading looks the caller up in a dictionary by its identifier; the kernel is asked for the
   native id each time.  Here each thread keeps both answers for itself.

   current_thread() is the interpreter's function with ours as its fast path (function.h): it
   answers for a thread that is known here.  A thread that was not started by Thread.start() of
   ours, or whose end has come, is looked up by the interpreter's code.

   The Thread object is known, also to who reads from outside, from ftt_current_enter() to
   ftt_current_leave(): a launch (see threads/launch.c) calls them first and last in its thread,
   _enter() and _leave() do it for the main thread.  The caller keeps it alive in between, for a
   reference of ours would never be dropped in the child of a fork that does not have the thread.

   An OS thread may serve several interpreters, one after the other, each with a thread state
   of its own: what is known counts only for the thread state that told it.  A thread state
   does not end, and its address is not used again, between enter and leave.

   The native id changes only in the child of a fork, where thread.c asks anew. */

#include "current.h"

#include "cpython.h"
#include "function.h"
#include "parking/thread.h"

/* Whose ftt_this_thread.object is. */
static _Thread_local PyThreadState *here FTT_TLS_MODEL;

static PyObject *
current_thread(FTT_CALL)
{
    if (here == PyThreadState_Get() && PyVectorcall_NARGS(nargsf) == 0 && names == NULL) {
        return Py_NewRef((PyObject *)ftt_this_thread.object);
    }
    return ftt_call_python(function, args, nargsf, names);
}

static PyObject *
speed_up(PyObject *Py_UNUSED(module), PyObject *function)
{
    if (!PyFunction_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "only a function written in Python can be sped up");
        return NULL;
    }
    ftt_set_vectorcall(function, current_thread);
    Py_RETURN_NONE;
}

void
ftt_current_enter(PyObject *thread)
{
    (void)ftt_thread_id(); /* it counts as running from here (thread.h) */
    ftt_cpython_thread_name(thread, ftt_this_thread.name, sizeof(ftt_this_thread.name));
    ftt_this_thread.object = thread;
    here = PyThreadState_Get();
}

void
ftt_current_leave(void)
{
    if (here == PyThreadState_Get()) {
        here = NULL;
        ftt_this_thread.object = NULL;
    }
}

static PyObject *
enter(PyObject *Py_UNUSED(module), PyObject *thread)
{
    ftt_current_enter(thread);
    Py_RETURN_NONE;
}

static PyObject *
leave(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    ftt_current_leave();
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

PyDoc_STRVAR(native_id_doc, "get_native_id()\n--\n\n"
                            "Return the number by which the kernel knows the calling thread.\n\n"
                            "It may be used again when the thread has ended.  Raises nothing.");

PyMethodDef ftt_current_methods[] = {
#ifdef PY_HAVE_THREAD_NATIVE_ID
    {"get_native_id", get_native_id, METH_NOARGS, native_id_doc},
#endif
    {"_speed_up", speed_up, METH_O, NULL},
    {"_enter", enter, METH_O, NULL},
    {"_leave", leave, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
