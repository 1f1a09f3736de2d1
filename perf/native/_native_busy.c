/* Busy time.

   spin     busy for a given time
   canary   the time that a fixed amount of work takes: what changes it changes all times
   Section  a critical section: busy for a given time around a plain, unprotected counter */

#include "_native.h"

static double steps_per_ns; /* written once, when the module is first executed */

/* One long dependency chain: its speed does not depend on what runs beside it on the core's
   ports, it touches no memory, and the compiler cannot shorten it. */
static inline void busy(uint64_t steps)
{
    uint64_t x = steps | 1;
    while (steps-- > 0) {
        x *= 6364136223846793005u;
        __asm__ volatile("" : "+r"(x));
    }
}

void calibrate(void)
{
    if (steps_per_ns != 0)
        return;
    const uint64_t steps = 200000;
    double best = 0;
    for (int i = 0; i < 30; i++) { /* the fastest run is the one that nothing interrupted */
        uint64_t begin = now_ns();
        busy(steps);
        uint64_t took = now_ns() - begin;
        double rate = (double)steps / (double)(took ? took : 1);
        if (rate > best)
            best = rate;
    }
    steps_per_ns = best;
}

static int parse_ns(PyObject *value, uint64_t *steps)
{
    long ns = PyLong_AsLong(value);
    if (ns == -1 && PyErr_Occurred())
        return -1;
    if (ns < 0 || ns > 10 * 1000000000L) {
        PyErr_SetString(PyExc_ValueError, "nanoseconds must be between 0 and 10**10");
        return -1;
    }
    *steps = (uint64_t)((double)ns * steps_per_ns + 0.5);
    return 0;
}

PyObject *native_spin(PyObject *module, PyObject *value)
{
    (void)module;
    uint64_t steps;
    if (parse_ns(value, &steps) < 0)
        return NULL;
    busy(steps);
    Py_RETURN_NONE;
}

PyObject *native_canary(PyObject *module, PyObject *value)
{
    (void)module;
    long steps = PyLong_AsLong(value);
    if (steps == -1 && PyErr_Occurred())
        return NULL;
    uint64_t begin = now_ns();
    busy(steps > 0 ? (uint64_t)steps : 0);
    return PyFloat_FromDouble((double)(now_ns() - begin) * 1e-9);
}

typedef struct {
    PyObject_HEAD
    uint64_t steps;
    char before[LINE];
    volatile int64_t count; /* plain on purpose: two threads inside at once lose an update */
    char after[LINE];
} Section;

static PyObject *section_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"ns", NULL};
    PyObject *ns;
    uint64_t steps;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O", names, &ns) || parse_ns(ns, &steps) < 0)
        return NULL;
    Section *self = (Section *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->steps = steps;
    return (PyObject *)self;
}

/* The race that this makes when a lock fails is the finding, so ThreadSanitizer may see it. */
static PyObject *section_run(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    Section *self = (Section *)op;
    int64_t seen = self->count;
    busy(self->steps);
    self->count = seen + 1;
    Py_RETURN_NONE;
}

static PyMethodDef section_methods[] = {
    {"run", section_run, METH_NOARGS, "Stay busy, and add one to `count` without protection."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef section_members[] = {
    {"count", T_LONGLONG, offsetof(Section, count), READONLY, "How often `run` was seen to end."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot section_slots[] = {
    {Py_tp_doc, "Section(ns): a critical section that is busy for ns nanoseconds."},
    {Py_tp_new, section_new},
    {Py_tp_methods, section_methods},
    {Py_tp_members, section_members},
    {Py_tp_traverse, plain_traverse},
    {Py_tp_dealloc, plain_dealloc},
    {0, NULL},
};

PyType_Spec section_spec = {
    .name = "perf.native._native.Section",
    .basicsize = sizeof(Section),
    .flags = PLAIN_FLAGS,
    .slots = section_slots,
};
