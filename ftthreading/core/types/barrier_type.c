/* The Python type Barrier over barrier.h. */

#include <stddef.h>

#include "primitives/barrier.h"
#include "python/arguments.h"
#include "python/function.h"
#include "python/object.h"
#include "profiling/profiling.h"
#include "types.h"

typedef struct {
    PyObject_HEAD
    ftt_barrier barrier;
    PyObject *action;  /* NULL for none */
    PyObject *timeout; /* of wait() without one; NULL before __init__ */
} barrier_object;

static void barrier_dealloc(PyObject *self);

static barrier_object *
cast(PyObject *self)
{
    return (barrier_object *)self;
}

static PyObject *
barrier_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return type->tp_alloc(type, 0);
}

/* Our own type, of which self's may be a subclass. */
static PyTypeObject *
base_of(PyObject *self)
{
    PyTypeObject *base = Py_TYPE(self);
    while (base->tp_dealloc != barrier_dealloc) {
        base = base->tp_base;
    }
    return base;
}

/* A subclass that has a step of threading's algorithm of its own gets that algorithm. */
static int
overrides_a_step(PyObject *self)
{
    static const char *const steps[] = {"_enter", "_wait", "_release", "_exit", "_break", NULL};
    return ftt_overrides(self, base_of(self), steps);
}

enum { TOO_FEW = -2 }; /* parties: the interpreter's own words for it differ */

static int
init(PyObject *self, PyObject *const *values)
{
    PyObject *index = PyNumber_Index(values[0]);
    long long parties = index == NULL ? -1 : PyLong_AsLongLong(index);
    Py_XDECREF(index);
    if (parties == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (parties < 1) {
        return TOO_FEW;
    }
    if (cast(self)->timeout != NULL) {
        /* Threads may be in the middle of a generation of the old number. */
        PyErr_SetString(PyExc_RuntimeError, "Barrier.__init__() called twice");
        return -1;
    }
    ftt_barrier_init(&cast(self)->barrier, parties);
    bool acts = values[1] != NULL && values[1] != Py_None;
    cast(self)->action = acts ? Py_NewRef(values[1]) : NULL;
    cast(self)->timeout = Py_NewRef(values[2] == NULL ? Py_None : values[2]);
    return 0;
}

static int
barrier_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t given = PyTuple_GET_SIZE(args);
    if (given < 1 || given > 3 || kwargs != NULL || !Py_IS_TYPE(self, base_of(self))) {
        return ftt_call_python_init(self, args, kwargs);
    }
    PyObject *values[3] = {NULL, NULL, NULL};
    for (Py_ssize_t i = 0; i < given; i++) {
        values[i] = PyTuple_GET_ITEM(args, i);
    }
    int made = init(self, values);
    return made == TOO_FEW ? ftt_call_python_init(self, args, kwargs) : made;
}

static int
barrier_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(cast(self)->action);
    Py_VISIT(cast(self)->timeout);
    return ftt_object_traverse(self, visit, arg);
}

static int
barrier_clear(PyObject *self)
{
    Py_CLEAR(cast(self)->action);
    Py_CLEAR(cast(self)->timeout);
    return ftt_object_clear(self);
}

static void
barrier_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(cast(self)->action);
    Py_CLEAR(cast(self)->timeout);
    ftt_object_dealloc(self);
}

/* The exception is the interpreter's, so that it is the same whichever module is asked. */
static PyObject *
broken(void)
{
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *error =
        threading == NULL ? NULL : PyObject_GetAttrString(threading, "BrokenBarrierError");
    Py_XDECREF(threading);
    if (error != NULL) {
        PyErr_SetNone(error);
        Py_DECREF(error);
    }
    return NULL;
}

/* The one who leads its generation: runs the action, and lets the others go. */
static ftt_barrier_end
lead(PyObject *self, const ftt_arrival *arrival)
{
    bool succeeded = true;
    if (cast(self)->action != NULL) {
        PyObject *result = PyObject_CallNoArgs(cast(self)->action);
        succeeded = result != NULL;
        Py_XDECREF(result);
    }
    bool tripped = ftt_barrier_trip(&cast(self)->barrier, arrival->generation, succeeded);
    if (!succeeded) {
        return FTT_BARRIER_FAILED;
    }
    return tripped ? FTT_BARRIER_PASSED : FTT_BARRIER_BROKEN;
}

PyDoc_STRVAR(wait_doc,
             "Wait until all parties have called this; each gets another number from 0 to\n"
             "parties - 1, the last one the highest.  The last runs the action first, and no\n"
             "lock is held meanwhile.\n\n"
             "timeout is in seconds, rounded up to nanoseconds on the monotonic clock; None takes\n"
             "the barrier's own.  A timeout breaks the barrier, unless all parties have come.\n"
             "Raises BrokenBarrierError if the barrier is or gets broken or is reset meanwhile, in\n"
             "the action too; what the action raises; OverflowError above threading.TIMEOUT_MAX;\n"
             "PythonFinalizationError if it would have to wait while the interpreter is finalizing.\n"
             "If a signal handler raises, it is as if this thread had not come.");
PyDoc_STRVAR(reset_doc,
             "Make the barrier as new; threads that wait get BrokenBarrierError.  Never waits,\n"
             "and may be called inside the action.");
PyDoc_STRVAR(abort_doc,
             "Break the barrier: threads that wait, or come later, get BrokenBarrierError.\n"
             "Never waits, and may be called inside the action.");

/* Of ours, __init__ has run, and the program has not taken it over (_inside.py).  A subclass that
   brings what threading's keeps in the instance, as multiprocessing's does, leaves __init__ out. */
static bool
is_native(PyObject *self)
{
    return cast(self)->timeout != NULL && !ftt_barrier_is_foreign(&cast(self)->barrier);
}

static PyObject *
call_wait(FTT_CALL)
{
    static const char *const keywords[] = {"timeout"};
    PyObject *seconds;
    if (!ftt_is_call_with(function, args, nargsf, names, barrier_dealloc, keywords, 1, &seconds) ||
        !is_native(args[0])) {
        return ftt_call_python(function, args, nargsf, names);
    }
    PyObject *self = args[0];
    int64_t timeout;
    if (seconds == NULL || seconds == Py_None) {
        seconds = cast(self)->timeout;
    }
    if (ftt_parse_wait(seconds, &timeout) < 0) {
        return NULL;
    }
    ftt_arrival arrival;
    /* The caller's reference may be one that nobody counts.  At finalization the interpreter
       drops those of daemon threads, and a wait that then times out would leave the queue by
       way of an object that is gone. */
    ftt_timing timing = ftt_timing_begin();
    ftt_keep(self);
    ftt_barrier_end end = ftt_barrier_wait(&cast(self)->barrier, timeout, &arrival);
    ftt_timing_end(&timing, FTT_AWAITED, NULL, self);
    if (end == FTT_BARRIER_LEADS) {
        end = lead(self, &arrival);
    }
    PyObject *result = NULL;
    switch (end) {
    case FTT_BARRIER_PASSED:
        result = PyLong_FromLongLong(arrival.index);
        break;
    case FTT_BARRIER_BROKEN:
        result = broken();
        break;
    case FTT_BARRIER_FOREIGN:
        result = ftt_call_python_wait(function, self, NULL, arrival.deadline);
        break;
    default:
        break;
    }
    ftt_let_go(self);
    return result;
}

static bool
is_plain(PyObject *const *args, size_t nargsf, PyObject *names)
{
    return ftt_is_call(args, nargsf, names, 1, 1, barrier_dealloc) && is_native(args[0]);
}

static PyObject *
call_reset(FTT_CALL)
{
    bool done = is_plain(args, nargsf, names) && ftt_barrier_reset(&cast(args[0])->barrier);
    return done ? Py_NewRef(Py_None) : ftt_call_python(function, args, nargsf, names);
}

static PyObject *
call_abort(FTT_CALL)
{
    bool done = is_plain(args, nargsf, names) && ftt_barrier_abort(&cast(args[0])->barrier);
    return done ? Py_NewRef(Py_None) : ftt_call_python(function, args, nargsf, names);
}

static PyObject *
call_parties(FTT_CALL)
{
    return is_plain(args, nargsf, names) ? PyLong_FromLongLong(cast(args[0])->barrier.parties)
                                         : ftt_call_python(function, args, nargsf, names);
}

static PyObject *
call_waiting(FTT_CALL)
{
    return is_plain(args, nargsf, names)
               ? PyLong_FromLongLong(ftt_barrier_count(&cast(args[0])->barrier))
               : ftt_call_python(function, args, nargsf, names);
}

static PyObject *
call_broken(FTT_CALL)
{
    return is_plain(args, nargsf, names)
               ? PyBool_FromLong(ftt_barrier_broken(&cast(args[0])->barrier))
               : ftt_call_python(function, args, nargsf, names);
}

/* For _inside.py: what the barrier was made of, and how it is now; None if it is not native. */

static PyObject *
parts(PyObject *Py_UNUSED(module), PyObject *self)
{
    if (!ftt_is_of(self, barrier_dealloc) || !is_native(self)) {
        Py_RETURN_NONE;
    }
    PyObject *action = cast(self)->action == NULL ? Py_None : cast(self)->action;
    ftt_barrier *barrier = &cast(self)->barrier;
    return Py_BuildValue("LOONL", (long long)barrier->parties, action, cast(self)->timeout,
                         PyBool_FromLong(ftt_barrier_broken(barrier)),
                         (long long)ftt_barrier_count(barrier));
}

static PyObject *
give_up(PyObject *Py_UNUSED(module), PyObject *self)
{
    if (!ftt_is_of(self, barrier_dealloc)) {
        PyErr_SetString(PyExc_TypeError, "_give_up_barrier() needs a Barrier");
        return NULL;
    }
    return PyBool_FromLong(ftt_barrier_give_up(&cast(self)->barrier));
}

PyMethodDef ftt_barrier_module_methods[] = {
    {"_barrier_parts", parts, METH_O, NULL},
    {"_give_up_barrier", give_up, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *
call_init(FTT_CALL)
{
    static const char *const keywords[] = {"parties", "action", "timeout"};
    PyObject *values[3];
    if (!ftt_is_call_with(function, args, nargsf, names, barrier_dealloc, keywords, 3, values) ||
        values[0] == NULL) {
        return ftt_call_python(function, args, nargsf, names);
    }
    int steps = overrides_a_step(args[0]);
    if (steps != 0) {
        return steps < 0 ? NULL : ftt_call_python(function, args, nargsf, names);
    }
    int made = init(args[0], values);
    if (made == TOO_FEW) {
        return ftt_call_python(function, args, nargsf, names);
    }
    return made < 0 ? NULL : Py_NewRef(Py_None);
}

const ftt_function ftt_barrier_functions[] = {
    {"__init__", call_init, NULL},
    {"wait", call_wait, wait_doc},
    {"reset", call_reset, reset_doc},
    {"abort", call_abort, abort_doc},
    {"parties", call_parties, "Threads it takes to pass."},
    {"n_waiting", call_waiting, "Threads that wait at this moment."},
    {"broken", call_broken, "Whether the barrier is broken."},
    {NULL, NULL, NULL},
};

static PyGetSetDef barrier_getset[] = {
    FTT_DICT_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(barrier_doc,
             "Barrier(parties, action=None, timeout=None)\n--\n\n"
             "A point that a number of threads pass together, again and again.\n\n"
             "action is called by one of them before any goes on; timeout is that of wait().\n"
             "Raises ValueError if parties is less than one.");

static PyType_Slot barrier_slots[] = {
    {Py_tp_doc, (void *)barrier_doc},
    {Py_tp_new, barrier_new},
    {Py_tp_init, barrier_init},
    {Py_tp_dealloc, barrier_dealloc},
    {Py_tp_traverse, barrier_traverse},
    {Py_tp_clear, barrier_clear},
    {Py_tp_getset, barrier_getset},
    {0, NULL},
};

PyType_Spec ftt_barrier_spec = {
    .name = "ftthreading.Barrier",
    .basicsize = sizeof(barrier_object),
    .flags = FTT_CLASS_FLAGS,
    .slots = barrier_slots,
};
