/* Waiting for a thread's end, for Thread.join().

   The interpreter's join waits in C of its own; others are told meanwhile who waits for whom
   (call.h), but nothing except the thread's end or a deadline can end it.

   Where joins are to be ended by others (deadlocks="raise"), a thread gets an Event that its launch
   sets when all that it runs is over (launch.c).  Who joins it waits for that in the parking table,
   and then for the rest of the end, some microseconds, by the interpreter's join.  That is a second
   sleep and wake-up, so it is not done for everybody.  What is wrong with a call is the
   interpreter's to say, and it is asked that before anything waits, by a join that only looks. */

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
join_and_tell(PyObject *join, PyObject *thread, PyObject *timeout, ftt_time began, ftt_time until)
{
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
    return answer;
}

static PyObject *
join_the_rest(PyObject *join, PyObject *thread, ftt_time began, ftt_time until)
{
    ftt_time left = until - ftt_now();
    PyObject *timeout = until == FTT_FOREVER ? Py_NewRef(Py_None)
                                             : PyFloat_FromDouble(left > 0 ? (double)left * 1e-9 : 0);
    PyObject *answer = join_and_tell(join, thread, timeout, began, until);
    Py_XDECREF(timeout);
    return answer;
}

static PyObject *
wait_and_join(PyObject *join, PyObject *thread, PyObject *event, int64_t ns, ftt_time began,
              ftt_time until)
{
    if (look(join, thread) < 0) {
        return NULL;
    }
    ftt_time deadline;
    Py_INCREF(event);
    ftt_keep(thread);
    ftt_outcome outcome = ftt_event_wait(ftt_event_of(event), ns, &deadline);
    ftt_let_go(thread);
    Py_DECREF(event);
    return outcome == FTT_FAILED      ? NULL
           : outcome == FTT_TIMED_OUT ? Py_NewRef(Py_None)
                                      : join_the_rest(join, thread, began, until);
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
    PyObject *thread = args[0], *timeout = args[1], *join = args[2], *ended = args[3];
    int64_t ns;
    if (!time_to_wait(timeout, &ns)) {
        return call_theirs(join, thread, timeout);
    }
    ftt_time began = ftt_now();
    ftt_time until = ns < 0 || ns > FTT_FOREVER - began ? FTT_FOREVER : began + ns;
    ftt_timing timing = ftt_timing_begin();
    PyObject *answer = ftt_event_of(ended) != NULL
                           ? wait_and_join(join, thread, ended, ns, began, until)
                           : join_and_tell(join, thread, timeout, began, until);
    if (answer != NULL) {
        ftt_timing_end(&timing, FTT_JOINED, NULL, thread);
    }
    return answer;
}

PyMethodDef ftt_join_methods[] = {
    {"_join", FTT_FASTCALL(join_thread), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
