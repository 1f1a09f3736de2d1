/* The Python type Event over event.h. */

#include <stddef.h>

#include "arguments.h"
#include "event.h"
#include "object.h"
#include "types.h"

typedef struct {
    FTT_OBJECT_HEAD
    ftt_event event;
    _Atomic(PyObject *) cond; /* made when somebody looks */
} event_object;

static ftt_event *
event_of(PyObject *self)
{
    return &((event_object *)self)->event;
}

/* Like a class written in Python, Event leaves its arguments to __init__, and so to a
   subclass that has its own; all zero is a clear event. */
static PyObject *
event_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return ftt_object_new(type);
}

static int
event_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (!PyArg_ParseTuple(args, ":Event")) {
        return -1;
    }
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0) {
        PyErr_SetString(PyExc_TypeError, "Event() takes no keyword arguments");
        return -1;
    }
    ftt_event_clear(event_of(self));
    return 0;
}

static PyObject *
event_repr(PyObject *self)
{
    return ftt_object_repr(self, ftt_event_is_set(event_of(self)) ? "set" : "unset");
}

static PyObject *
event_is_set(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_note_use(self);
    return PyBool_FromLong(ftt_event_is_set(event_of(self)));
}

static PyObject *
event_is_set_renamed(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return ftt_warn_renamed("isSet", "is_set") < 0 ? NULL
                                                   : PyObject_CallMethod(self, "is_set", NULL);
}

static PyObject *
event_set(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_note_use(self);
    ftt_event_set(event_of(self));
    Py_RETURN_NONE;
}

static PyObject *
event_clear(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_event_clear(event_of(self));
    Py_RETURN_NONE;
}

static PyObject *
event_wait(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const char *const keywords[] = {"timeout"};
    PyObject *seconds = NULL;
    if ((nargs != 0 || names != NULL) &&
        ftt_parse("wait", keywords, 1, args, nargs, names, &seconds) < 0) {
        return NULL;
    }
    ftt_note_use(self);
    if (ftt_event_is_set(event_of(self))) {
        Py_RETURN_TRUE;
    }
    int64_t timeout;
    if (ftt_parse_wait(seconds, &timeout) < 0) {
        return NULL;
    }
    ftt_outcome outcome = ftt_event_wait(event_of(self), timeout);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

static PyObject *
event_at_fork_reinit(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_event_reinit(event_of(self));
    PyObject *cond = atomic_load_explicit(&((event_object *)self)->cond, memory_order_acquire);
    return cond == NULL ? Py_NewRef(Py_None)
                        : PyObject_CallMethod(cond, "_at_fork_reinit", NULL);
}

/* threading's Event is made of a Condition, which CPython's own tests lock.  Ours is not; it
   keeps one for those who look, and nothing goes through it. */
static PyObject *
event_get_cond(PyObject *self, void *Py_UNUSED(closure))
{
    _Atomic(PyObject *) *slot = &((event_object *)self)->cond;
    PyObject *cond = atomic_load_explicit(slot, memory_order_acquire);
    if (cond != NULL) {
        return Py_NewRef(cond);
    }
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &ftt_module);
    ftt_module_state *state = module == NULL ? NULL : PyModule_GetState(module);
    PyObject *lock = state == NULL ? NULL : PyObject_CallNoArgs((PyObject *)state->lock);
    PyObject *fresh = lock == NULL ? NULL
                                   : PyObject_CallOneArg((PyObject *)state->condition, lock);
    Py_XDECREF(lock);
    if (fresh != NULL &&
        !atomic_compare_exchange_strong_explicit(slot, &cond, fresh, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        Py_DECREF(fresh);
        fresh = cond;
    }
    return Py_XNewRef(fresh);
}

static int
event_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(atomic_load_explicit(&((event_object *)self)->cond, memory_order_relaxed));
    return ftt_object_traverse(self, visit, arg);
}

static int
event_clear_references(PyObject *self)
{
    PyObject *none = NULL;
    Py_XDECREF(atomic_exchange_explicit(&((event_object *)self)->cond, none, memory_order_relaxed));
    return ftt_object_clear(self);
}

static void
event_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(atomic_load_explicit(&((event_object *)self)->cond, memory_order_relaxed));
    ftt_object_dealloc(self);
}

static PyObject *
event_get_flag(PyObject *self, void *Py_UNUSED(closure))
{
    return event_is_set(self, NULL);
}

static int
event_set_flag(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    int flag = value == NULL ? 0 : PyObject_IsTrue(value);
    if (flag < 0) {
        return -1;
    }
    (flag ? ftt_event_set : ftt_event_clear)(event_of(self));
    return 0;
}

PyDoc_STRVAR(is_set_doc,
             "is_set($self, /)\n--\n\n"
             "Whether the flag is true at this moment.");
PyDoc_STRVAR(is_set_renamed_doc,
             "isSet($self, /)\n--\n\n"
             "The old name of is_set(); warns of its deprecation.");
PyDoc_STRVAR(set_doc,
             "set($self, /)\n--\n\n"
             "Make the flag true and release every thread that waits at this moment, even if\n"
             "clear() follows at once.  Never waits, so signal handlers, __del__ and weakref\n"
             "callbacks may call it, also where they interrupt set() or wait() itself.");
PyDoc_STRVAR(clear_doc,
             "clear($self, /)\n--\n\n"
             "Make the flag false: wait() waits again.  Never waits itself.");
PyDoc_STRVAR(wait_doc,
             "wait($self, /, timeout=None)\n--\n\n"
             "Wait until the flag is true; True if it was, or if set() was called meanwhile,\n"
             "False if the timeout passed.\n\n"
             "timeout is in seconds, rounded up to nanoseconds on the monotonic clock; None waits\n"
             "without limit, 0 or less only looks.  Raises OverflowError above\n"
             "threading.TIMEOUT_MAX, PythonFinalizationError if it would have to wait while the\n"
             "interpreter is finalizing.  In the main thread signal handlers run meanwhile; a\n"
             "set() during one of them counts, and an exception of one ends the wait.");
PyDoc_STRVAR(reinit_doc,
             "_at_fork_reinit($self, /)\n--\n\n"
             "Forget the waiters, in the child of a fork; the flag stays.");

static PyMethodDef event_methods[] = {
    {"is_set", event_is_set, METH_NOARGS, is_set_doc},
    {"isSet", event_is_set_renamed, METH_NOARGS, is_set_renamed_doc},
    {"set", event_set, METH_NOARGS, set_doc},
    {"clear", event_clear, METH_NOARGS, clear_doc},
    {"wait", FTT_FASTCALL(event_wait), METH_FASTCALL | METH_KEYWORDS, wait_doc},
    {"_at_fork_reinit", event_at_fork_reinit, METH_NOARGS, reinit_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef event_getset[] = {
    FTT_DICT_GETSET,
    {"_cond", event_get_cond, NULL, "A condition of no consequence.", NULL},
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
    {Py_tp_repr, event_repr},
    {Py_tp_methods, event_methods},
    {Py_tp_getset, event_getset},
    {0, NULL},
};

PyType_Spec ftt_event_spec = {
    .name = "ftthreading.Event",
    .basicsize = sizeof(event_object),
    .flags = FTT_CLASS_FLAGS,
    .slots = event_slots,
};
