/* Waits: how long each acquire of a lock took, by a thread that does nothing else.

   Time is kept in buckets whose width is an eighth of their lower bound's power of two: to read
   the clock and to count must not cost what a list of numbers would. */

#include "_native.h"

#define SUBS 8 /* buckets for each power of two */
#define BUCKETS (SUBS * 62)

typedef struct {
    PyObject_HEAD
    char before[LINE];
    uint64_t total;
    uint64_t longest;
    uint64_t counts[BUCKETS];
    char after[LINE];
} Waits;

static unsigned bucket_of(uint64_t ns)
{
    if (ns < SUBS)
        return (unsigned)ns;
    unsigned power = 63 - (unsigned)__builtin_clzll(ns); /* 3 or more */
    return (power - 2) * SUBS + (unsigned)((ns >> (power - 3)) & (SUBS - 1));
}

/* The middle of what falls into the bucket. */
static double nanoseconds_of(unsigned bucket)
{
    if (bucket < SUBS)
        return bucket;
    unsigned power = bucket / SUBS + 2;
    uint64_t width = (uint64_t)1 << (power - 3);
    return (double)((SUBS + bucket % SUBS) * width) + (double)width / 2;
}

static void note(Waits *self, uint64_t ns)
{
    self->counts[bucket_of(ns)]++;
    self->total++;
    if (ns > self->longest)
        self->longest = ns;
}

/* Between three and five quarters of the gap, so that threads do not fall into step. */
static uint64_t jittered(uint64_t gap, uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return gap - gap / 4 + (gap ? *random % (gap / 2 + 1) : 0);
}

/* Stays detached, so that whoever wants the GIL or stops the world is not kept waiting. */
static void pass_time(uint64_t until)
{
    Py_BEGIN_ALLOW_THREADS
    while (now_ns() < until)
        ;
    Py_END_ALLOW_THREADS
}

static int call(PyObject *method)
{
    PyObject *result = PyObject_CallNoArgs(method);
    if (result == NULL)
        return -1;
    Py_DECREF(result);
    return 0;
}

static int goes_on(PyObject *running)
{
    PyObject *flag = PySequence_GetItem(running, 0);
    if (flag == NULL)
        return -1;
    int result = PyObject_IsTrue(flag);
    Py_DECREF(flag);
    return result;
}

static PyObject *waits_run(PyObject *op, PyObject *args)
{
    Waits *self = (Waits *)op;
    PyObject *acquire, *release, *work, *running;
    unsigned long long gap, seed;
    int open;
    if (!PyArg_ParseTuple(args, "OOOOKpK", &acquire, &release, &work, &running, &gap, &open,
                          &seed))
        return NULL;
    uint64_t random = seed * 0x9E3779B97F4A7C15u + 1;
    long long count = 0;
    int on;
    uint64_t due = now_ns();
    while ((on = goes_on(running)) > 0) {
        due += jittered(gap, &random);
        pass_time(due);
        /* Closed: a wait begins when the thread comes. Open: when it should have come, so that a
           stall counts for all who would have come during it. */
        uint64_t begin = open ? due : now_ns();
        if (call(acquire) < 0)
            return NULL;
        uint64_t end = now_ns();
        int failed = call(work) < 0;
        if (call(release) < 0 || failed)
            return NULL;
        note(self, end > begin ? end - begin : 0);
        count++;
        if (!open)
            due = now_ns();
    }
    return on < 0 ? NULL : PyLong_FromLongLong(count);
}

static PyObject *waits_add(PyObject *op, PyObject *other)
{
    if (!Py_IS_TYPE(other, Py_TYPE(op))) {
        PyErr_SetString(PyExc_TypeError, "only Waits can be added");
        return NULL;
    }
    Waits *self = (Waits *)op, *more = (Waits *)other;
    for (unsigned i = 0; i < BUCKETS; i++)
        self->counts[i] += more->counts[i];
    self->total += more->total;
    if (more->longest > self->longest)
        self->longest = more->longest;
    Py_RETURN_NONE;
}

static PyObject *waits_counts(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    Waits *self = (Waits *)op;
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list != NULL && i < BUCKETS; i++) {
        if (self->counts[i] == 0)
            continue;
        PyObject *pair = Py_BuildValue("(dK)", nanoseconds_of(i) * 1e-9,
                                       (unsigned long long)self->counts[i]);
        if (pair == NULL || PyList_Append(list, pair) < 0)
            Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

static PyObject *waits_longest(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    return PyFloat_FromDouble((double)((Waits *)op)->longest * 1e-9);
}

static PyMethodDef waits_methods[] = {
    {"run", waits_run, METH_VARARGS,
     "run(acquire, release, work, running, gap_ns, open, seed): note the waits until told to stop "
     "by running[0]; return how many."},
    {"add", waits_add, METH_O, "Add another thread's, which must have ended."},
    {"counts", waits_counts, METH_NOARGS, "(seconds, how many) of each bucket that is not empty."},
    {"longest", waits_longest, METH_NOARGS, "Seconds of the longest wait, exactly."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot waits_slots[] = {
    {Py_tp_doc, "Waits(): how long each acquire took. Used by one thread at a time."},
    {Py_tp_methods, waits_methods},
    {Py_tp_traverse, plain_traverse},
    {Py_tp_dealloc, plain_dealloc},
    {0, NULL},
};

PyType_Spec waits_spec = {
    .name = "perf.native._native.Waits",
    .basicsize = sizeof(Waits),
    .flags = PLAIN_FLAGS,
    .slots = waits_slots,
};
