/* Costs: what the steps of a wait take that need no second thread.  A pause is the core's. */

#include <sched.h>

#include "_native.h"
#include "pause.h"

static void yield_once(void)
{
    sched_yield();
}

static PyObject *seconds_for(void (*step)(void), PyObject *value)
{
    long count = PyLong_AsLong(value);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    uint64_t begin, end;
    Py_BEGIN_ALLOW_THREADS
    begin = now_ns();
    for (long i = 0; i < count; i++)
        step();
    end = now_ns();
    Py_END_ALLOW_THREADS
    return PyFloat_FromDouble((double)(end - begin) * 1e-9);
}

PyObject *native_pauses(PyObject *module, PyObject *count)
{
    (void)module;
    return seconds_for(ftt_pause, count);
}

PyObject *native_yields(PyObject *module, PyObject *count)
{
    (void)module;
    return seconds_for(yield_once, count);
}
