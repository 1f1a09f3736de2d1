/* Gate: lets waiting threads go within about a microsecond of each other. */

#include <sched.h>
#include <stdatomic.h>

#include "_native.h"

typedef struct {
    PyObject_HEAD
    unsigned parties;
    char before[LINE];
    _Atomic unsigned arrived;
    char between[LINE];
    _Atomic unsigned opened; /* how often the gate was opened */
    _Atomic int closed;
    char after[LINE];
} Gate;

static PyObject *gate_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"parties", NULL};
    unsigned parties;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "I", names, &parties))
        return NULL;
    Gate *self = (Gate *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->parties = parties;
    return (PyObject *)self;
}

static PyObject *gate_wait(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    Gate *self = (Gate *)op;
    unsigned turn = atomic_load(&self->opened);
    atomic_fetch_add(&self->arrived, 1);
    Py_BEGIN_ALLOW_THREADS
    while (atomic_load_explicit(&self->opened, memory_order_acquire) == turn &&
           !atomic_load_explicit(&self->closed, memory_order_relaxed))
        sched_yield();
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(atomic_load(&self->opened) != turn);
}

static PyObject *gate_open(PyObject *op, PyObject *timeout)
{
    Gate *self = (Gate *)op;
    double limit = PyFloat_AsDouble(timeout);
    if (limit == -1 && PyErr_Occurred())
        return NULL;
    uint64_t begin = now_ns();
    for (;;) {
        int ready = 0;
        Py_BEGIN_ALLOW_THREADS
        for (int i = 0; i < 1000 && !ready; i++) {
            ready = atomic_load(&self->arrived) >= self->parties;
            if (!ready)
                sched_yield();
        }
        Py_END_ALLOW_THREADS
        if (ready)
            break;
        if (PyErr_CheckSignals() < 0)
            return NULL;
        if ((double)(now_ns() - begin) > limit * 1e9) {
            PyErr_Format(PyExc_TimeoutError, "%u of %u threads came to the gate",
                         atomic_load(&self->arrived), self->parties);
            return NULL;
        }
    }
    atomic_store(&self->arrived, 0);
    atomic_fetch_add_explicit(&self->opened, 1, memory_order_release);
    Py_RETURN_NONE;
}

static PyObject *gate_close(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    atomic_store(&((Gate *)op)->closed, 1);
    Py_RETURN_NONE;
}

static PyMethodDef gate_methods[] = {
    {"wait", gate_wait, METH_NOARGS, "Arrive; return True once opened, False once closed."},
    {"open", gate_open, METH_O, "Wait at most so many seconds for all parties; let them go."},
    {"close", gate_close, METH_NOARGS, "Send all waiting threads away for good."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot gate_slots[] = {
    {Py_tp_doc, "Gate(parties): a start gate. Its threads wait detached, yielding the CPU."},
    {Py_tp_new, gate_new},
    {Py_tp_methods, gate_methods},
    {Py_tp_traverse, plain_traverse},
    {Py_tp_dealloc, plain_dealloc},
    {0, NULL},
};

PyType_Spec gate_spec = {
    .name = "perf.native._native.Gate",
    .basicsize = sizeof(Gate),
    .flags = PLAIN_FLAGS,
    .slots = gate_slots,
};
