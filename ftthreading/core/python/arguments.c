/* Parsing arguments and timeouts (see arguments.h). */

#include "arguments.h"

#include <math.h>

#include "cpython.h"

int
ftt_seconds_to_ns(PyObject *seconds, int64_t *ns)
{
    if (PyFloat_Check(seconds) || (FTT_TIMEOUT_IS_ANY_REAL && !PyIndex_Check(seconds))) {
        double value = PyFloat_AsDouble(seconds);
        if (value == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (isnan(value)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        double scaled = value * 1e9;
        scaled = scaled < 0 ? floor(scaled) : ceil(scaled);
        if (!(scaled >= -0x1p63 && scaled < 0x1p63)) {
            PyErr_SetString(PyExc_OverflowError, "timeout is out of range");
            return -1;
        }
        *ns = (int64_t)scaled;
        return 0;
    }
    long long whole = PyLong_AsLongLong(seconds);
    if (whole == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (whole > INT64_MAX / 1000000000 || whole < INT64_MIN / 1000000000) {
        PyErr_SetString(PyExc_OverflowError, "timeout is out of range");
        return -1;
    }
    *ns = (int64_t)whole * 1000000000;
    return 0;
}

int
ftt_index_of(PyObject *name, const char *const *keywords, int size)
{
    for (int i = 0; i < size; i++) {
        if (PyUnicode_EqualToUTF8(name, keywords[i])) {
            return i;
        }
    }
    return -1;
}

/* Sorts the arguments of a METH_FASTCALL | METH_KEYWORDS call into values[], one for each keyword,
   NULL where none is given.  -1 with TypeError set. */
static int
parse(const char *function, const char *const *keywords, int size, PyObject *const *args,
      Py_ssize_t nargs, PyObject *names, PyObject **values)
{
    if (nargs > size) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %d argument%s (%zd given)", function,
                     size, size == 1 ? "" : "s", nargs);
        return -1;
    }
    for (int i = 0; i < size; i++) {
        values[i] = i < nargs ? args[i] : NULL;
    }
    for (Py_ssize_t k = 0; names != NULL && k < PyTuple_GET_SIZE(names); k++) {
        PyObject *name = PyTuple_GET_ITEM(names, k);
        int i = ftt_index_of(name, keywords, size);
        if (i < 0) {
            PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'",
                         function, name);
            return -1;
        }
        if (values[i] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%s'", function,
                         keywords[i]);
            return -1;
        }
        values[i] = args[nargs + k];
    }
    return 0;
}

int
ftt_parse_acquire(PyObject *const *args, Py_ssize_t nargs, PyObject *names, int64_t *timeout)
{
    static const char *const keywords[] = {"blocking", "timeout"};
    PyObject *values[2];
    if (parse("acquire", keywords, 2, args, nargs, names, values) < 0) {
        return -1;
    }
    PyObject *blocking_object = values[0], *timeout_object = values[1];
    int blocking = 1;
    if (blocking_object != NULL && (blocking = PyObject_IsTrue(blocking_object)) < 0) {
        return -1;
    }
    /* -1 second means "not given", whichever way it was written. */
    const int64_t unset = -1000000000;
    int64_t ns = unset;
    if (timeout_object != NULL && ftt_seconds_to_ns(timeout_object, &ns) < 0) {
        return -1;
    }
    if (!blocking) {
        if (ns != unset) {
            PyErr_SetString(PyExc_ValueError,
                            "can't specify a timeout for a non-blocking call");
            return -1;
        }
        *timeout = 0;
        return 0;
    }
    if (ns == unset) {
        *timeout = -1;
        return 0;
    }
    if (ns < 0) {
        PyErr_SetString(PyExc_ValueError, "timeout value must be a non-negative number");
        return -1;
    }
    if (ns / 1000 + (ns % 1000 != 0) > PY_TIMEOUT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
        return -1;
    }
    *timeout = ns;
    return 0;
}

int
ftt_parse_wait(PyObject *seconds, int64_t *timeout)
{
    if (seconds == NULL || seconds == Py_None) {
        *timeout = -1;
        return 0;
    }
    /* As threading asks: what is not more than nothing, NaN too, is no time, whatever its type. */
    int more;
    if (PyFloat_CheckExact(seconds)) {
        more = PyFloat_AS_DOUBLE(seconds) > 0;
    }
    else {
        PyObject *zero = PyLong_FromLong(0);
        more = zero == NULL ? -1 : PyObject_RichCompareBool(seconds, zero, Py_GT);
        Py_XDECREF(zero);
    }
    if (more <= 0) {
        *timeout = 0;
        return more;
    }
    if (ftt_seconds_to_ns(seconds, timeout) < 0) {
        return -1;
    }
    if (*timeout < 0) { /* its comparison has lied */
        PyErr_SetString(PyExc_ValueError, "timeout value must be a non-negative number");
        return -1;
    }
    if (*timeout / 1000 + (*timeout % 1000 != 0) > PY_TIMEOUT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
        return -1;
    }
    return 0;
}
