/* The Python type Event over event.h.

   Its methods are the interpreter's functions (function.h).  In the word is the flag of every
   event; what threading's Event has besides, a condition, ours makes when a program asks for it,
   and from then on the event is foreign: whoever holds that condition expects that set() and
   clear() wait for it and that it is notified, so the interpreter's algorithm does that. */

#include <stddef.h>

#include "primitives/event.h"
#include "python/arguments.h"
#include "python/function.h"
#include "python/object.h"
#include "profiling/profiling.h"
#include "foreign.h"
#include "types.h"

typedef struct {
    PyObject_HEAD
    ftt_event event;
    PyObject *cond; /* of a foreign event; critical section */
} event_object;

static ftt_event *
event_of(PyObject *self)
{
    return &((event_object *)self)->event;
}

static void event_dealloc(PyObject *self);

/* Like a class written in Python, Event leaves its arguments to __init__, and so to a
   subclass that has its own; all zero is a clear event. */
static PyObject *
event_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return type->tp_alloc(type, 0);
}

static int
event_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) != 0 || kwargs != NULL) {
        return ftt_call_python_init(self, args, kwargs);
    }
    ftt_event_put(event_of(self), false);
    return 0;
}

static PyObject *
call_init(FTT_CALL)
{
    if (!ftt_is_call(args, nargsf, names, 1, 1, event_dealloc)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    ftt_event_put(event_of(args[0]), false);
    Py_RETURN_NONE;
}

static PyObject *
call_is_set(FTT_CALL)
{
    if (!ftt_is_call(args, nargsf, names, 1, 1, event_dealloc)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    return PyBool_FromLong(ftt_event_is_set(event_of(args[0])));
}

static PyObject *
call_set(FTT_CALL)
{
    if (!ftt_is_call(args, nargsf, names, 1, 1, event_dealloc) ||
        !ftt_event_set(event_of(args[0]))) {
        return ftt_call_python(function, args, nargsf, names);
    }
    Py_RETURN_NONE;
}

static PyObject *
call_clear(FTT_CALL)
{
    if (!ftt_is_call(args, nargsf, names, 1, 1, event_dealloc) ||
        !ftt_event_clear(event_of(args[0]))) {
        return ftt_call_python(function, args, nargsf, names);
    }
    Py_RETURN_NONE;
}

/* Apart, so that a call that need not wait saves no registers for it. */
__attribute__((noinline)) static PyObject *
wait_until_set(PyObject *function, PyObject *self, PyObject *seconds)
{
    int64_t timeout;
    if (ftt_parse_wait(seconds, &timeout) < 0) {
        return NULL;
    }
    ftt_time deadline;
    ftt_timing timing = ftt_timing_begin();
    ftt_keep(self);
    ftt_outcome outcome = ftt_event_wait(event_of(self), timeout, &deadline);
    ftt_timing_end(&timing, FTT_AWAITED, NULL, self);
    PyObject *result =
        outcome == FTT_FAILED    ? NULL
        : outcome == FTT_FOREIGN ? ftt_call_python_wait(function, self, NULL, deadline)
                                 : PyBool_FromLong(outcome == FTT_ACQUIRED);
    ftt_let_go(self);
    return result;
}

static PyObject *
call_wait(FTT_CALL)
{
    static const char *const keywords[] = {"timeout"};
    PyObject *seconds;
    if (!ftt_is_call_with(function, args, nargsf, names, event_dealloc, keywords, 1, &seconds) ||
        ftt_event_is_foreign(event_of(args[0]))) {
        return ftt_call_python(function, args, nargsf, names);
    }
    if (ftt_event_is_set(event_of(args[0]))) {
        Py_RETURN_TRUE;
    }
    return wait_until_set(function, args[0], seconds);
}

static void
give_up(void *self)
{
    ftt_event_give_up(event_of(self));
}

static PyObject *
event_get_cond(PyObject *self, void *Py_UNUSED(closure))
{
    return ftt_foreign_condition(self, &((event_object *)self)->cond, give_up);
}

static int
event_set_cond(PyObject *self, PyObject *cond, void *Py_UNUSED(closure))
{
    return ftt_set_foreign_condition(self, &((event_object *)self)->cond, cond, give_up);
}

static PyObject *
call_at_fork_reinit(FTT_CALL)
{
    if (!ftt_is_call(args, nargsf, names, 1, 1, event_dealloc) ||
        ftt_event_is_foreign(event_of(args[0]))) {
        return ftt_call_python(function, args, nargsf, names);
    }
    ftt_event_reinit(event_of(args[0]));
    Py_RETURN_NONE;
}

static int
event_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((event_object *)self)->cond);
    return ftt_object_traverse(self, visit, arg);
}

static int
event_clear_references(PyObject *self)
{
    Py_CLEAR(((event_object *)self)->cond);
    return ftt_object_clear(self);
}

static void
event_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((event_object *)self)->cond);
    ftt_object_dealloc(self);
}

static PyObject *
event_get_flag(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(ftt_event_is_set(event_of(self)));
}

static int
event_set_flag(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    ftt_event *event = event_of(self);
    int flag = value == NULL ? 0 : PyObject_IsTrue(value);
    if (flag < 0) {
        return -1;
    }
    if (!(flag ? ftt_event_set(event) : ftt_event_clear(event))) {
        ftt_event_put(event, flag);
    }
    return 0;
}

PyDoc_STRVAR(is_set_doc, "Whether the flag is true at this moment.");
PyDoc_STRVAR(set_doc,
             "Make the flag true and release every thread that waits at this moment, even if\n"
             "clear() follows at once.  Never waits, so signal handlers, __del__ and weakref\n"
             "callbacks may call it, also where they interrupt set() or wait() itself.");
PyDoc_STRVAR(clear_doc, "Make the flag false: wait() waits again.  Never waits itself.");
PyDoc_STRVAR(wait_doc,
             "Wait until the flag is true; True if it was, or if set() was called meanwhile,\n"
             "False if the timeout passed.\n\n"
             "timeout is in seconds, rounded up to nanoseconds on the monotonic clock; None waits\n"
             "without limit, 0 or less only looks.  Raises OverflowError above\n"
             "threading.TIMEOUT_MAX, PythonFinalizationError if it would have to wait while the\n"
             "interpreter is finalizing.  In the main thread signal handlers run meanwhile; a\n"
             "set() during one of them counts, and an exception of one ends the wait.");
PyDoc_STRVAR(reinit_doc, "Forget the waiters, in the child of a fork; the flag stays.");

const ftt_function ftt_event_functions[] = {
    {"__init__", call_init, NULL},
    {"is_set", call_is_set, is_set_doc},
    {"set", call_set, set_doc},
    {"clear", call_clear, clear_doc},
    {"wait", call_wait, wait_doc},
    {"_at_fork_reinit", call_at_fork_reinit, reinit_doc},
    {NULL, NULL, NULL},
};

static PyGetSetDef event_getset[] = {
    FTT_DICT_GETSET,
    {"_cond", event_get_cond, event_set_cond,
     "The condition of set(), clear() and wait(), from the first look on.", NULL},
    {"_flag", event_get_flag, event_set_flag, "As is_set(); as set() and clear().", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(event_doc,
             "Event()\n--\n\n"
             "A flag that threads can wait for; false at first.");

static PyType_Slot event_slots[] = {
    {Py_tp_doc, (void *)event_doc},
    {Py_tp_new, event_new},
    {Py_tp_init, event_init},
    {Py_tp_dealloc, event_dealloc},
    {Py_tp_traverse, event_traverse},
    {Py_tp_clear, event_clear_references},
    {Py_tp_getset, event_getset},
    {0, NULL},
};

ftt_event *
ftt_event_of(PyObject *object)
{
    return Py_TYPE(object)->tp_dealloc == event_dealloc ? event_of(object) : NULL;
}

PyType_Spec ftt_event_spec = {
    .name = "ftthreading.Event",
    .basicsize = sizeof(event_object),
    .flags = FTT_CLASS_FLAGS,
    .slots = event_slots,
};
