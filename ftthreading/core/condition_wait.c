/* Condition's wait, wait_for and notify: the methods that the queue of condition.h is for. */

#include "arguments.h"
#include "condition_type.h"

static int
require_owned(PyObject *self, const char *message)
{
    int owned = ftt_condition_is_owned(self);
    if (owned == 0) {
        PyErr_SetString(PyExc_RuntimeError, message);
    }
    return owned == 1 ? 0 : -1;
}

static ftt_outcome
wait(PyObject *self, int64_t timeout)
{
    if (require_owned(self, "cannot wait on un-acquired lock") < 0) {
        return FTT_FAILED;
    }
    if (cast(self)->monitor.lock == NULL) {
        return ftt_foreign_wait(self, timeout);
    }
    return ftt_condition_wait(&cast(self)->condition, cast(self)->monitor, timeout);
}

PyObject *
ftt_condition_wait_method(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *names)
{
    static const char *const keywords[] = {"timeout"};
    PyObject *seconds = NULL;
    int64_t timeout;
    if (((nargs != 0 || names != NULL) &&
         ftt_parse("wait", keywords, 1, args, nargs, names, &seconds) < 0) ||
        ftt_parse_wait(seconds, &timeout) < 0) {
        return NULL;
    }
    ftt_outcome outcome = wait(self, timeout);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

static int
notify(PyObject *self, uint64_t count)
{
    if (require_owned(self, "cannot notify on un-acquired lock") < 0) {
        return -1;
    }
    ftt_condition_notify(&cast(self)->condition, cast(self)->monitor, count);
    return 0;
}

PyObject *
ftt_condition_notify_method(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *names)
{
    static const char *const keywords[] = {"n"};
    PyObject *number = NULL;
    int64_t count = 1;
    if (nargs != 0 || names != NULL) {
        int overflow = 0;
        if (ftt_parse("notify", keywords, 1, args, nargs, names, &number) < 0) {
            return NULL;
        }
        if (number != NULL) {
            count = PyLong_AsLongLongAndOverflow(number, &overflow);
            if (count == -1 && PyErr_Occurred()) {
                return NULL;
            }
        }
        count = overflow > 0 ? INT64_MAX : overflow < 0 || count < 0 ? 0 : count;
    }
    if (notify(self, (uint64_t)count) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyObject *
ftt_condition_notify_all_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (notify(self, UINT64_MAX) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}
