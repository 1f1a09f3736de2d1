/* The parts of a measurement that Python cannot do without disturbing it.

   Floor      every primitive's methods, doing nothing: what calling a method costs at least
   Section    a critical section: busy for a given time around a plain, unprotected counter
   Gate       lets waiting threads go within about a microsecond of each other
   spin       busy for a given time
   ping_pong  the same hand-off between two threads as perf/handoff.py, without Python

   Nothing here is part of the package. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define LINE 128 /* two cache lines: x86 fetches them in pairs */

/* ---- busy time ---- */

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

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void calibrate(void)
{
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

static PyObject *native_spin(PyObject *module, PyObject *value)
{
    (void)module;
    uint64_t steps;
    if (parse_ns(value, &steps) < 0)
        return NULL;
    busy(steps);
    Py_RETURN_NONE;
}

/* ---- what all types here share ---- */

static int plain_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void plain_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    type->tp_free(self);
    Py_DECREF(type);
}

#define PLAIN_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MANAGED_WEAKREF)
#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

/* ---- Floor ---- */

/* Also Event.wait(). */
static PyObject *floor_acquire(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    (void)self, (void)args, (void)n, (void)names;
    Py_RETURN_TRUE;
}

/* Also Event.is_set(). */
static PyObject *floor_enter(PyObject *self, PyObject *ignored)
{
    (void)self, (void)ignored;
    Py_RETURN_TRUE;
}

/* Also Event.set() and clear(). */
static PyObject *floor_release(PyObject *self, PyObject *ignored)
{
    (void)self, (void)ignored;
    Py_RETURN_NONE;
}

static PyObject *floor_exit(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self, (void)args, (void)n;
    Py_RETURN_NONE;
}

static PyObject *floor_notify(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    (void)self, (void)args, (void)n, (void)names;
    Py_RETURN_NONE;
}

static PyObject *floor_locked(PyObject *self, PyObject *ignored)
{
    (void)self, (void)ignored;
    Py_RETURN_FALSE;
}

/* Called as the methods of the core are called, so that the interpreter treats both alike. */
static PyMethodDef floor_methods[] = {
    {"acquire", METHOD(floor_acquire), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"release", floor_release, METH_NOARGS, NULL},
    {"locked", floor_locked, METH_NOARGS, NULL},
    {"__enter__", floor_enter, METH_NOARGS, NULL},
    {"__exit__", METHOD(floor_exit), METH_FASTCALL, NULL},
    {"wait", METHOD(floor_acquire), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"is_set", floor_enter, METH_NOARGS, NULL},
    {"set", floor_release, METH_NOARGS, NULL},
    {"clear", floor_release, METH_NOARGS, NULL},
    {"notify", METHOD(floor_notify), METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot floor_slots[] = {
    {Py_tp_doc, "A primitive that never waits: each method returns at once."},
    {Py_tp_methods, floor_methods},
    {Py_tp_traverse, plain_traverse},
    {Py_tp_dealloc, plain_dealloc},
    {0, NULL},
};

static PyType_Spec floor_spec = {
    .name = "perf._native.Floor",
    .basicsize = sizeof(PyObject),
    .flags = PLAIN_FLAGS,
    .slots = floor_slots,
};

/* ---- Section ---- */

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

static PyType_Spec section_spec = {
    .name = "perf._native.Section",
    .basicsize = sizeof(Section),
    .flags = PLAIN_FLAGS,
    .slots = section_slots,
};

/* ---- Gate ---- */

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

static PyType_Spec gate_spec = {
    .name = "perf._native.Gate",
    .basicsize = sizeof(Gate),
    .flags = PLAIN_FLAGS,
    .slots = gate_slots,
};

/* ---- ping_pong ---- */

typedef struct {
    uint64_t rounds;
    int kernel; /* sleep in the kernel for each hand-off, or spin */
    char before[LINE];
    _Atomic uint64_t turn;
    char after[LINE];
    sem_t there, back;
} Court;

static void pong_wait(Court *court, uint64_t turn)
{
    for (unsigned spins = 0; atomic_load_explicit(&court->turn, memory_order_acquire) != turn;)
        if (++spins % 4096 == 0) /* the other side may need this CPU */
            sched_yield();
}

static void *pong(void *arg)
{
    Court *court = arg;
    for (uint64_t i = 0; i < court->rounds; i++) {
        if (court->kernel) {
            while (sem_wait(&court->there) < 0) {
            }
            sem_post(&court->back);
        } else {
            pong_wait(court, 2 * i + 1);
            atomic_store_explicit(&court->turn, 2 * i + 2, memory_order_release);
        }
    }
    return NULL;
}

static PyObject *native_ping_pong(PyObject *module, PyObject *args)
{
    (void)module;
    Court court = {0};
    unsigned long long rounds;
    if (!PyArg_ParseTuple(args, "Kp", &rounds, &court.kernel))
        return NULL;
    court.rounds = rounds;
    sem_init(&court.there, 0, 0);
    sem_init(&court.back, 0, 0);
    pthread_t other;
    uint64_t took = 0;
    int error;
    Py_BEGIN_ALLOW_THREADS
    error = pthread_create(&other, NULL, pong, &court);
    if (!error) {
        uint64_t begin = now_ns();
        for (uint64_t i = 0; i < rounds; i++) {
            if (court.kernel) {
                sem_post(&court.there);
                while (sem_wait(&court.back) < 0) {
                }
            } else {
                atomic_store_explicit(&court.turn, 2 * i + 1, memory_order_release);
                pong_wait(&court, 2 * i + 2);
            }
        }
        took = now_ns() - begin;
        pthread_join(other, NULL);
    }
    Py_END_ALLOW_THREADS
    sem_destroy(&court.there);
    sem_destroy(&court.back);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyFloat_FromDouble((double)took * 1e-9);
}

/* ---- the module ---- */

static PyMethodDef native_functions[] = {
    {"spin", native_spin, METH_O, "spin(ns): stay busy, attached, without the kernel's help."},
    {"ping_pong", native_ping_pong, METH_VARARGS,
     "ping_pong(rounds, kernel): seconds for 2 * rounds hand-offs between two C threads."},
    {NULL, NULL, 0, NULL},
};

static int native_exec(PyObject *module)
{
    if (steps_per_ns == 0)
        calibrate();
    PyType_Spec *specs[] = {&floor_spec, &section_spec, &gate_spec};
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, specs[i], NULL);
        if (type == NULL)
            return -1;
        int failed = PyModule_AddType(module, (PyTypeObject *)type);
        Py_DECREF(type);
        if (failed)
            return -1;
    }
    return 0;
}

static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_methods = native_functions,
    .m_slots = native_slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
