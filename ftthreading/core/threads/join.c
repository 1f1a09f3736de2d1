/* Waiting for a thread's end, for Thread.join().

   The interpreter's join waits in C of its own: nobody can see who waits for whom, and nothing but
   the thread's end or a deadline can end it.  So ours first waits in the parking table for an
   Event, which the thread's launch sets when all that it runs is over (launch.c), and calls the
   interpreter's for the rest of the end, some microseconds.  What is wrong with a call is the
   interpreter's to say, and it is asked that before anything waits, by a join that only looks.

   A thread that has no such Event was not launched by us, as the main thread: for that the
   interpreter's join waits, and others are told so (call.h), but cannot end it. */

#include "profiling/profiling.h"
#include "python/object.h"
#include "types/types.h"

/* As for the parking table: -1 for ever, else ns.  False for what is no time to wait. */
static bool
time_to_wait(PyObject *timeout, int64_t *ns)
{
    *ns = -1;
    if (timeout == Py_None) {
        return true;
    }
    /* (Of other types nothing is asked but by the interpreter's join itself.) */
    if (!PyFloat_Check(timeout) && !PyLong_Check(timeout)) {
        return false;
    }
    double seconds = PyFloat_AsDouble(timeout);
    PyErr_Clear();
    /* (No NaN, either.) */
    bool waits = seconds > 0 && seconds < 9.2e9;
    *ns = waits ? (int64_t)(seconds * 1e9) : 0;
    return waits;
}

static PyObject *
call_theirs(PyObject *join, PyObject *thread, PyObject *timeout)
{
    PyObject *args[] = {thread, timeout};
    return timeout == NULL ? NULL : PyObject_Vectorcall(join, args, 2, NULL);
}

static int
look(PyObject *join, PyObject *thread)
{
    PyObject *zero = PyLong_FromLong(0);
    PyObject *answer = call_theirs(join, thread, zero);
    Py_XDECREF(zero);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

/* The interpreter's join, while others are told of it. */
static PyObject *
join_and_tell(PyObject *join, PyObject *thread, ftt_time began, ftt_time until)
{
    PyObject *timeout = Py_None;
    if (until != FTT_FOREVER) {
        ftt_time left = until - ftt_now();
        timeout = PyFloat_FromDouble(left > 0 ? (double)left * 1e-9 : 0.0);
    }
    ftt_waiter *waiter = ftt_waiter_take();
    if (waiter != NULL) {
        ftt_call_begin(&waiter->call, (ftt_keeper){thread, PyInterpreterState_Get()},
                       ftt_this_thread.ident, began, until, ftt_this_thread.returning);
    }
    PyObject *answer = call_theirs(join, thread, timeout);
    if (waiter != NULL) {
        ftt_call_end(&waiter->call);
        ftt_waiter_give_back(waiter);
    }
    if (timeout != Py_None) {
        Py_XDECREF(timeout);
    }
    return answer;
}

static PyObject *
wait_and_join(PyObject *join, PyObject *thread, PyObject *event, int64_t ns)
{
    ftt_event *ended = ftt_event_of(event);
    ftt_time began = ftt_now(), deadline;
    ftt_time until = ns < 0 || ns > FTT_FOREVER - began ? FTT_FOREVER : began + ns;
    ftt_outcome outcome = FTT_ACQUIRED;
    if (ended != NULL) {
        Py_INCREF(event);
        ftt_keep(thread);
        outcome = ftt_event_wait(ended, ns, &deadline);
        ftt_let_go(thread);
        Py_DECREF(event);
    }
    return outcome == FTT_FAILED      ? NULL
           : outcome == FTT_TIMED_OUT ? Py_NewRef(Py_None)
                                      : join_and_tell(join, thread, began, until);
}

/* _join(thread, timeout, join, ended): waits for the thread's end as join(thread, timeout), the
   interpreter's, does; `ended`: an Event that is set when it is near, or None. */
static PyObject *
join_thread(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "_join() needs a thread, a timeout, a function, an Event");
        return NULL;
    }
    PyObject *thread = args[0], *join = args[2];
    int64_t ns;
    if (!time_to_wait(args[1], &ns)) {
        return call_theirs(join, thread, args[1]);
    }
    if (look(join, thread) < 0) {
        return NULL;
    }
    ftt_timing timing = ftt_timing_begin();
    PyObject *answer = wait_and_join(join, thread, args[3], ns);
    ftt_timing_end(&timing, FTT_JOINED, NULL, thread);
    return answer;
}

PyMethodDef ftt_join_methods[] = {
    {"_join", FTT_FASTCALL(join_thread), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
