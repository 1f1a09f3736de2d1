/* Condition's wait and notify: the methods that the queue of condition.h is for. */

#include "python/arguments.h"
#include "condition_object.h"
#include "profiling/profiling.h"
#include "types.h"

#define NOT_HELD "cannot wait on un-acquired lock"

static int
require_owned(PyObject *self, ftt_monitor monitor, const char *message)
{
    int owned = monitor.lock == NULL ? ftt_foreign_is_owned(self) : ftt_native_is_owned(monitor);
    if (owned == 0) {
        PyErr_SetString(PyExc_RuntimeError, message);
    }
    return owned == 1 ? 0 : -1;
}

static ftt_outcome
wait(PyObject *self, int64_t timeout)
{
    ftt_monitor monitor = ftt_condition_monitor(self);
    if (require_owned(self, monitor, NOT_HELD) < 0) {
        return FTT_FAILED;
    }
    ftt_timing timing = ftt_timing_begin();
    ftt_this_thread.reacquires = 0;
    ftt_keep(self);
    ftt_outcome outcome = monitor.lock == NULL
                              ? ftt_foreign_wait(self, timeout)
                              : ftt_condition_wait(&cast(self)->condition, monitor, timeout);
    ftt_timing_end_condition(&timing, ftt_this_thread.reacquires, monitor.lock, self);
    ftt_this_thread.reacquires = 0;
    ftt_let_go(self);
    if (outcome == FTT_HANDLED) {
        PyErr_SetString(PyExc_RuntimeError, monitor.rlock == NULL
                                                ? "release unlocked lock"
                                                : NOT_HELD);
        return FTT_FAILED;
    }
    return outcome;
}

PyObject *
ftt_condition_wait_method(PyObject *self, PyObject *seconds)
{
    int64_t timeout;
    if (ftt_parse_wait(seconds, &timeout) < 0) {
        /* threading looks at its lock first. */
        PyObject *error = PyErr_GetRaisedException();
        if (require_owned(self, ftt_condition_monitor(self), NOT_HELD) == 0) {
            PyErr_SetRaisedException(Py_NewRef(error));
        }
        Py_DECREF(error);
        return NULL;
    }
    ftt_outcome outcome = wait(self, timeout);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

static int
notify(PyObject *self, uint64_t count)
{
    ftt_monitor monitor = ftt_condition_monitor(self);
    if (require_owned(self, monitor, "cannot notify on un-acquired lock") < 0) {
        return -1;
    }
    ftt_condition_notify(&cast(self)->condition, count);
    return 0;
}

/* threading takes anything for n that can be compared with 0 and be made less by 1, and looks at
   it only while somebody waits. */
static int
notify_while_more_than_zero(PyObject *self, PyObject *number)
{
    ftt_monitor monitor = ftt_condition_monitor(self);
    if (require_owned(self, monitor, "cannot notify on un-acquired lock") < 0) {
        return -1;
    }
    ftt_condition *condition = &cast(self)->condition;
    PyObject *zero = PyLong_FromLong(0), *one = PyLong_FromLong(1);
    PyObject *left = zero == NULL || one == NULL ? NULL : Py_NewRef(number);
    int more = left == NULL ? -1 : 1;
    while (more > 0 && ftt_condition_waiters(condition) > 0) {
        more = PyObject_RichCompareBool(left, zero, Py_GT);
        if (more > 0 && ftt_condition_notify(condition, 1) > 0) {
            Py_SETREF(left, PyNumber_InPlaceSubtract(left, one));
            more = left == NULL ? -1 : 1;
        }
    }
    Py_XDECREF(left);
    Py_XDECREF(zero);
    Py_XDECREF(one);
    return more < 0 ? -1 : 0;
}

PyObject *
ftt_condition_notify_method(PyObject *self, PyObject *number)
{
    int done;
    if (number == NULL) {
        done = notify(self, 1);
    }
    else if (PyLong_CheckExact(number)) {
        int overflow;
        long long count = PyLong_AsLongLongAndOverflow(number, &overflow);
        done = notify(self, overflow > 0 ? UINT64_MAX : count > 0 ? (uint64_t)count : 0);
    }
    else {
        done = notify_while_more_than_zero(self, number);
    }
    return done < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *
ftt_condition_notify_all_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (notify(self, UINT64_MAX) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}
