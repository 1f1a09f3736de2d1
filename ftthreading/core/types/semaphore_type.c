/* The Python types Semaphore and BoundedSemaphore over semaphore.h.

   One struct serves both; `limit` is what release() may not exceed.  Their methods are the
   interpreter's functions (function.h).  A semaphore is foreign from the moment a program asks
   for its condition, as billiard's pools do: they change the number while they hold that, so
   acquire() and release() have to hold it too, and the interpreter's algorithm does. */

#include <stddef.h>

#include "primitives/semaphore.h"
#include "python/arguments.h"
#include "python/function.h"
#include "python/object.h"
#include "profiling/profiling.h"
#include "foreign.h"
#include "types.h"

typedef struct {
    PyObject_HEAD
    ftt_semaphore semaphore;
    ftt_long limit;
    bool ready;      /* __init__ has run; looked at only where there is no permit to take or give */
    PyObject *cond; /* of a foreign semaphore; critical section */
} semaphore_object;

static semaphore_object *
cast(PyObject *self)
{
    return (semaphore_object *)self;
}

static void semaphore_dealloc(PyObject *self);

static int64_t
limit_of(PyObject *self)
{
    return atomic_load_explicit(&cast(self)->limit, memory_order_relaxed);
}

static PyObject *
semaphore_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        ftt_note_made(&cast(self)->semaphore);
    }
    return self;
}

/* A whole number; what is too much for the counter becomes as much again and more. */
static int
parse_count(PyObject *number, int64_t *count)
{
    int overflow;
    PyObject *index = PyNumber_Index(number);
    if (index == NULL) {
        return -1;
    }
    long long value = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (value == -1 && PyErr_Occurred()) {
        return -1;
    }
    *count = overflow > 0 ? INT64_MAX : overflow < 0 ? -1 : value;
    return 0;
}

/* The same for a number of permits there may be. */
static int
parse_permits(PyObject *number, int64_t *permits)
{
    if (parse_count(number, permits) < 0) {
        return -1;
    }
    if (*permits < 0) {
        PyErr_SetString(PyExc_ValueError, "semaphore initial value must be >= 0");
        return -1;
    }
    if (*permits > FTT_SEMAPHORE_MAX) {
        PyErr_SetString(PyExc_OverflowError, "too many permits for a semaphore");
        return -1;
    }
    return 0;
}

static int
init(PyObject *self, PyObject *value, bool bounded)
{
    int64_t permits = 1;
    if (value != NULL && parse_permits(value, &permits) < 0) {
        return -1;
    }
    atomic_store_explicit(&cast(self)->limit, bounded ? permits : FTT_SEMAPHORE_MAX,
                          memory_order_relaxed);
    cast(self)->ready = true;
    ftt_semaphore_put(&cast(self)->semaphore, permits);
    return 0;
}

static int
init_from(PyObject *self, PyObject *args, PyObject *kwargs, bool bounded)
{
    if (PyTuple_GET_SIZE(args) > 1 || kwargs != NULL) {
        return ftt_call_python_init(self, args, kwargs);
    }
    return init(self, PyTuple_GET_SIZE(args) == 0 ? NULL : PyTuple_GET_ITEM(args, 0), bounded);
}

static int
semaphore_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return init_from(self, args, kwargs, false);
}

static int
bounded_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return init_from(self, args, kwargs, true);
}

static PyObject *
call_init_of(FTT_CALL, bool bounded)
{
    static const char *const keywords[] = {"value"};
    PyObject *value;
    if (!ftt_is_call_with(function, args, nargsf, names, semaphore_dealloc, keywords, 1, &value)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    return init(args[0], value, bounded) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
call_init(FTT_CALL)
{
    return call_init_of(function, args, nargsf, names, false);
}

static PyObject *
call_bounded_init(FTT_CALL)
{
    return call_init_of(function, args, nargsf, names, true);
}

/* threading looks at the timeout only when it has to wait. */
static PyObject *
call_acquire(FTT_CALL)
{
    static const char *const keywords[] = {"blocking", "timeout"};
    PyObject *values[2];
    int blocking = 1;
    if (!ftt_is_call_with(function, args, nargsf, names, semaphore_dealloc, keywords, 2, values)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    if (values[0] != NULL && (blocking = PyObject_IsTrue(values[0])) < 0) {
        return NULL;
    }
    PyObject *self = args[0], *seconds = values[1];
    if (!blocking && seconds != NULL && seconds != Py_None) {
        return ftt_call_python(function, args, nargsf, names); /* which says what is wrong */
    }
    if (ftt_semaphore_try(&cast(self)->semaphore)) {
        Py_RETURN_TRUE;
    }
    if (!cast(self)->ready || ftt_semaphore_is_foreign(&cast(self)->semaphore)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    int64_t timeout = 0;
    if (blocking && ftt_parse_wait(seconds, &timeout) < 0) {
        return NULL;
    }
    ftt_time deadline = FTT_FOREVER;
    ftt_timing timing = ftt_timing_begin();
    ftt_keep(self);
    ftt_outcome outcome = ftt_semaphore_wait(&cast(self)->semaphore, timeout, &deadline);
    if (timeout != 0) {
        ftt_timing_end(&timing, FTT_CONTENDED, &cast(self)->semaphore, self);
    }
    PyObject *result;
    if (outcome == FTT_FOREIGN) {
        result = blocking ? ftt_call_python_wait(function, self, Py_True, deadline)
                          : ftt_call_python(function, args, nargsf, names);
    }
    else {
        result = outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
    }
    ftt_let_go(self);
    return result;
}

static PyObject *
call_release(FTT_CALL)
{
    static const char *const keywords[] = {"n"};
    PyObject *number;
    int64_t count = 1;
    if (!ftt_is_call_with(function, args, nargsf, names, semaphore_dealloc, keywords, 1,
                          &number)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    if (number != NULL && parse_count(number, &count) < 0) {
        return NULL;
    }
    semaphore_object *self = cast(args[0]);
    int64_t limit = limit_of(args[0]);
    if (count >= 1 && ftt_semaphore_release(&self->semaphore, count, limit)) {
        Py_RETURN_NONE;
    }
    if (count < 1 || !self->ready || ftt_semaphore_is_foreign(&self->semaphore)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    if (limit == FTT_SEMAPHORE_MAX) {
        PyErr_SetString(PyExc_OverflowError, "too many permits for a semaphore");
    }
    else {
        PyErr_SetString(PyExc_ValueError, "Semaphore released too many times");
    }
    return NULL;
}

/* What `with` calls last: release(), whichever the semaphore has. */
static PyObject *
call_exit(FTT_CALL)
{
    if (PyVectorcall_NARGS(nargsf) == 4 && names == NULL &&
        ftt_is_not_overridden(args[0], semaphore_dealloc, "release", call_release) &&
        ftt_semaphore_release(&cast(args[0])->semaphore, 1, limit_of(args[0]))) {
        Py_RETURN_NONE;
    }
    return ftt_call_python(function, args, nargsf, names);
}

/* The rest is for programs that look inside. */

static PyObject *
get_value(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(ftt_semaphore_value(&cast(self)->semaphore));
}

static int
set_value(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    int64_t permits = 0;
    if (value != NULL && parse_permits(value, &permits) < 0) {
        return -1;
    }
    ftt_semaphore_put(&cast(self)->semaphore, permits);
    return 0;
}

static PyObject *
get_limit(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(limit_of(self));
}

static int
set_limit(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    int64_t permits = 0;
    if (value != NULL && parse_permits(value, &permits) < 0) {
        return -1;
    }
    atomic_store_explicit(&cast(self)->limit, permits, memory_order_relaxed);
    return 0;
}

static void
give_up(void *self)
{
    ftt_semaphore_give_up(&cast(self)->semaphore);
}

static PyObject *
get_cond(PyObject *self, void *Py_UNUSED(closure))
{
    if (!cast(self)->ready && !ftt_semaphore_is_foreign(&cast(self)->semaphore)) {
        PyErr_Format(PyExc_AttributeError, "'%T' object has no attribute '_cond'", self);
        return NULL;
    }
    return ftt_foreign_condition(self, &cast(self)->cond, give_up);
}

static int
set_cond(PyObject *self, PyObject *cond, void *Py_UNUSED(closure))
{
    return ftt_set_foreign_condition(self, &cast(self)->cond, cond, give_up);
}

static int
semaphore_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(cast(self)->cond);
    return ftt_object_traverse(self, visit, arg);
}

static int
semaphore_clear(PyObject *self)
{
    Py_CLEAR(cast(self)->cond);
    return ftt_object_clear(self);
}

static void
semaphore_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(cast(self)->cond);
    ftt_object_dealloc(self);
}

PyDoc_STRVAR(acquire_doc,
             "Take a permit; True if one was taken, False if not within the timeout.\n\n"
             "timeout is in seconds, rounded up to nanoseconds on the monotonic clock; None waits\n"
             "without limit, 0 or less tries once, as does blocking=False.  Raises ValueError for\n"
             "a timeout without blocking, OverflowError above threading.TIMEOUT_MAX,\n"
             "PythonFinalizationError if it would have to wait while the interpreter is\n"
             "finalizing.  In the main thread signal handlers run during the wait; if one raises,\n"
             "no permit is taken and none is lost.");
PyDoc_STRVAR(release_doc,
             "Give n permits, and so let up to n waiting threads go on.  Never waits, so signal\n"
             "handlers, __del__ and weakref callbacks may call it, also where they interrupt\n"
             "another call on the same semaphore.  Raises ValueError if n is less than one.");
PyDoc_STRVAR(bounded_release_doc,
             "As Semaphore.release(), but raises ValueError, and gives none, if there would be\n"
             "more permits than at first.");
PyDoc_STRVAR(exit_doc, "The same as release().");

const ftt_function ftt_semaphore_functions[] = {
    {"__init__", call_init, NULL},
    {"acquire", call_acquire, acquire_doc},
    {"__enter__", call_acquire, NULL}, /* the same function under another name */
    {"release", call_release, release_doc},
    {"__exit__", call_exit, exit_doc},
    {NULL, NULL, NULL},
};

const ftt_function ftt_bounded_semaphore_functions[] = {
    {"__init__", call_bounded_init, NULL},
    {"release", call_release, bounded_release_doc},
    {NULL, NULL, NULL},
};

static PyGetSetDef semaphore_getset[] = {
    FTT_DICT_GETSET,
    {"_value", get_value, set_value, "Permits that nobody has at this moment.", NULL},
    {"_cond", get_cond, set_cond,
     "The condition of acquire() and release(), from the first look on.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyGetSetDef bounded_getset[] = {
    {"_initial_value", get_limit, set_limit, "Permits at first, and at most.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(semaphore_doc,
             "Semaphore(value=1)\n--\n\n"
             "A number of permits that threads take and give.\n\n"
             "Raises ValueError if value is negative.");
PyDoc_STRVAR(bounded_doc,
             "BoundedSemaphore(value=1)\n--\n\n"
             "A semaphore that never has more permits than at first: release() then raises\n"
             "ValueError.");

static PyType_Slot semaphore_slots[] = {
    {Py_tp_doc, (void *)semaphore_doc},
    {Py_tp_new, semaphore_new},
    {Py_tp_init, semaphore_init},
    {Py_tp_dealloc, semaphore_dealloc},
    {Py_tp_traverse, semaphore_traverse},
    {Py_tp_clear, semaphore_clear},
    {Py_tp_getset, semaphore_getset},
    {0, NULL},
};

static PyType_Slot bounded_slots[] = {
    {Py_tp_doc, (void *)bounded_doc},
    {Py_tp_init, bounded_init},
    {Py_tp_dealloc, semaphore_dealloc},
    {Py_tp_traverse, semaphore_traverse},
    {Py_tp_clear, semaphore_clear},
    {Py_tp_getset, bounded_getset},
    {0, NULL},
};

PyType_Spec ftt_semaphore_spec = {
    .name = "ftthreading.Semaphore",
    .basicsize = sizeof(semaphore_object),
    .flags = FTT_CLASS_FLAGS,
    .slots = semaphore_slots,
};

PyType_Spec ftt_bounded_semaphore_spec = {
    .name = "ftthreading.BoundedSemaphore",
    .basicsize = sizeof(semaphore_object),
    .flags = FTT_CLASS_FLAGS,
    .slots = bounded_slots,
};
