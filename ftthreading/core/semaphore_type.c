/* The Python types Semaphore and BoundedSemaphore over semaphore.h.

   One struct serves both; `limit` is what release() may not exceed.  BoundedSemaphore repeats
   the methods of its base because the interpreter calls a method descriptor without detour
   only on instances of the very type it was defined in. */

#include <stddef.h>

#include "arguments.h"
#include "object.h"
#include "semaphore.h"
#include "types.h"

typedef struct {
    FTT_OBJECT_HEAD
    ftt_semaphore semaphore;
    int64_t limit;
    bool ready; /* __init__ has run; looked at only where there is no permit to take or give */
} semaphore_object;

static semaphore_object *
cast(PyObject *self)
{
    return (semaphore_object *)self;
}

static PyObject *
semaphore_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return ftt_object_new(type);
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

static void
too_many(void)
{
    PyErr_SetString(PyExc_OverflowError, "too many permits for a semaphore");
}

static int
init(PyObject *self, PyObject *args, PyObject *kwargs, bool bounded)
{
    static char *names[] = {"value", NULL};
    PyObject *value = NULL;
    int64_t permits = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, bounded ? "|O:BoundedSemaphore" : "|O:Semaphore",
                                     names, &value) ||
        (value != NULL && parse_count(value, &permits) < 0)) {
        return -1;
    }
    if (permits < 0) {
        PyErr_SetString(PyExc_ValueError, "semaphore initial value must be >= 0");
        return -1;
    }
    if (permits > FTT_SEMAPHORE_MAX) {
        too_many();
        return -1;
    }
    cast(self)->limit = bounded ? permits : FTT_SEMAPHORE_MAX;
    cast(self)->ready = true;
    atomic_store_explicit(&cast(self)->semaphore.state, permits * FTT_SEMAPHORE_PERMIT,
                          memory_order_relaxed);
    return 0;
}

static int
semaphore_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return init(self, args, kwargs, false);
}

static int
bounded_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return init(self, args, kwargs, true);
}

static PyObject *
semaphore_repr(PyObject *self)
{
    int64_t value = ftt_semaphore_value(&cast(self)->semaphore);
    return ftt_object_repr(self, "value=%lld", (long long)value);
}

static PyObject *
bounded_repr(PyObject *self)
{
    int64_t value = ftt_semaphore_value(&cast(self)->semaphore);
    return ftt_object_repr(self, "value=%lld/%lld", (long long)value,
                           (long long)cast(self)->limit);
}

static ftt_outcome
take(PyObject *self, int64_t timeout)
{
    ftt_note_use(self);
    if (ftt_semaphore_try(&cast(self)->semaphore)) {
        return FTT_ACQUIRED;
    }
    if (!cast(self)->ready) {
        ftt_not_initialised(self);
        return FTT_FAILED;
    }
    return timeout == 0 ? FTT_TIMED_OUT : ftt_semaphore_wait(&cast(self)->semaphore, timeout);
}

/* threading looks at the timeout only when it has to wait. */
static PyObject *
semaphore_acquire(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const char *const keywords[] = {"blocking", "timeout"};
    PyObject *values[2] = {NULL, NULL};
    int blocking = 1;
    if ((nargs != 0 || names != NULL) &&
        (ftt_parse("acquire", keywords, 2, args, nargs, names, values) < 0 ||
         (values[0] != NULL && (blocking = PyObject_IsTrue(values[0])) < 0))) {
        return NULL;
    }
    PyObject *seconds = values[1];
    if (!blocking && seconds != NULL && seconds != Py_None) {
        PyErr_SetString(PyExc_ValueError, "can't specify timeout for non-blocking acquire");
        return NULL;
    }
    ftt_note_use(self);
    if (ftt_semaphore_try(&cast(self)->semaphore)) {
        Py_RETURN_TRUE;
    }
    int64_t timeout = 0;
    if (blocking && ftt_parse_wait(seconds, &timeout) < 0) {
        return NULL;
    }
    ftt_outcome outcome = take(self, timeout);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

static PyObject *
semaphore_enter(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (take(self, -1) == FTT_FAILED) {
        return NULL;
    }
    Py_RETURN_TRUE;
}

static PyObject *
give(PyObject *self, int64_t count)
{
    if (!ftt_semaphore_release(&cast(self)->semaphore, count, cast(self)->limit)) {
        if (!cast(self)->ready) {
            ftt_not_initialised(self);
        }
        else if (cast(self)->limit == FTT_SEMAPHORE_MAX) {
            too_many();
        }
        else {
            PyErr_SetString(PyExc_ValueError, "Semaphore released too many times");
        }
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
semaphore_release(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    int64_t count = 1;
    PyObject *number = NULL;
    if (nargs != 0 || names != NULL) {
        static const char *const keywords[] = {"n"};
        if (ftt_parse("release", keywords, 1, args, nargs, names, &number) < 0 ||
            (number != NULL && parse_count(number, &count) < 0)) {
            return NULL;
        }
        if (count < 1) {
            PyErr_SetString(PyExc_ValueError, "n must be one or more");
            return NULL;
        }
    }
    return give(self, count);
}

static PyObject *
semaphore_exit(PyObject *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs))
{
    if (ftt_is_of_subclass(self, ftt_object_dealloc)) {
        PyObject *released = PyObject_CallMethod(self, "release", NULL);
        Py_XDECREF(released);
        return released == NULL ? NULL : Py_NewRef(Py_None);
    }
    return give(self, 1);
}

static PyObject *
semaphore_at_fork_reinit(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_semaphore_reinit(&cast(self)->semaphore);
    Py_RETURN_NONE;
}

static PyObject *
get_value(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(ftt_semaphore_value(&cast(self)->semaphore));
}

static PyObject *
get_limit(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(cast(self)->limit);
}

PyDoc_STRVAR(acquire_doc,
             "acquire($self, /, blocking=True, timeout=None)\n--\n\n"
             "Take a permit; True if one was taken, False if not within the timeout.\n\n"
             "timeout is in seconds, rounded up to nanoseconds on the monotonic clock; None waits\n"
             "without limit, 0 or less tries once, as does blocking=False.  Raises ValueError for\n"
             "a timeout without blocking, OverflowError above threading.TIMEOUT_MAX,\n"
             "PythonFinalizationError if it would have to wait while the interpreter is\n"
             "finalizing.  In the main thread signal handlers run during the wait; if one raises,\n"
             "no permit is taken and none is lost.");
PyDoc_STRVAR(release_doc,
             "release($self, /, n=1)\n--\n\n"
             "Give n permits, and so let up to n waiting threads go on.  Never waits, so signal\n"
             "handlers, __del__ and weakref callbacks may call it, also where they interrupt\n"
             "another call on the same semaphore.  Raises ValueError if n is less than one.");
PyDoc_STRVAR(bounded_release_doc,
             "release($self, /, n=1)\n--\n\n"
             "As Semaphore.release(), but raises ValueError, and gives none, if there would be\n"
             "more permits than at first.");
PyDoc_STRVAR(enter_doc, "__enter__($self, /)\n--\n\nThe same as acquire().");
PyDoc_STRVAR(exit_doc, "__exit__($self, t, v, tb)\n--\n\nThe same as release().");
PyDoc_STRVAR(reinit_doc,
             "_at_fork_reinit($self, /)\n--\n\n"
             "Forget the waiters, in the child of a fork; the permits stay.");

#define METHODS(release_text)                                                                     \
    {                                                                                             \
        {"acquire", FTT_FASTCALL(semaphore_acquire), METH_FASTCALL | METH_KEYWORDS, acquire_doc}, \
            {"release", FTT_FASTCALL(semaphore_release), METH_FASTCALL | METH_KEYWORDS,           \
             release_text},                                                                       \
            {"__enter__", semaphore_enter, METH_NOARGS, enter_doc},                               \
            {"__exit__", FTT_FASTCALL(semaphore_exit), METH_FASTCALL, exit_doc},                  \
            {"_at_fork_reinit", semaphore_at_fork_reinit, METH_NOARGS, reinit_doc},               \
        {NULL, NULL, 0, NULL},                                                                    \
    }

static PyMethodDef semaphore_methods[] = METHODS(release_doc);
static PyMethodDef bounded_methods[] = METHODS(bounded_release_doc);

static PyGetSetDef semaphore_getset[] = {
    FTT_DICT_GETSET,
    {"_value", get_value, NULL, "Permits that nobody has at this moment.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyGetSetDef bounded_getset[] = {
    {"_initial_value", get_limit, NULL, "Permits at first, and at most.", NULL},
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
    {Py_tp_dealloc, ftt_object_dealloc},
    {Py_tp_traverse, ftt_object_traverse},
    {Py_tp_clear, ftt_object_clear},
    {Py_tp_repr, semaphore_repr},
    {Py_tp_methods, semaphore_methods},
    {Py_tp_getset, semaphore_getset},
    {0, NULL},
};

static PyType_Slot bounded_slots[] = {
    {Py_tp_doc, (void *)bounded_doc},
    {Py_tp_init, bounded_init},
    {Py_tp_dealloc, ftt_object_dealloc},
    {Py_tp_traverse, ftt_object_traverse},
    {Py_tp_clear, ftt_object_clear},
    {Py_tp_repr, bounded_repr},
    {Py_tp_methods, bounded_methods},
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
