/* The Python type Lock over lock.h.

   The methods never touch reference counts beyond the call's own: they return None, True
   or False, so that threads which share a lock share no other cache line through it. */

#include <stddef.h>

#include "python/arguments.h"
#include "python/object.h"
#include "profiling/profiling.h"
#include "acquire.h"
#include "stand_in.h"

/* Before the object stand two words: its weak references, and a place that it does not use. */
_Static_assert(2 * sizeof(void *) + sizeof(lock_object) <= 64, "a Lock fits into a cache line");

ftt_lock *
ftt_lock_of(PyObject *self)
{
    return &((lock_object *)self)->lock;
}

static PyObject *
lock_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) != 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0)) {
        PyErr_SetString(PyExc_TypeError, "lock() takes no arguments");
        return NULL;
    }
    /* All zero is an unlocked lock. */
    PyObject *self = ftt_shared_new(type);
    if (self != NULL) {
        ftt_note_made(ftt_lock_of(self));
    }
    return self;
}

static int
lock_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

void
ftt_lock_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
lock_repr(PyObject *self)
{
    PyObject *name = ftt_lock_class_name(self);
    if (name == NULL) {
        return NULL;
    }
    bool locked = ftt_lock_locked(ftt_lock_of(self));
    PyObject *repr = PyUnicode_FromFormat("<%s %U object at %p>", locked ? "locked" : "unlocked",
                                          name, self);
    Py_DECREF(name);
    return repr;
}

static PyObject *
lock_acquire(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    int64_t timeout = -1;
    if ((nargs != 0 || names != NULL) && ftt_parse_acquire(args, nargs, names, &timeout) < 0) {
        return NULL;
    }
    ftt_note_use(self);
    ftt_outcome outcome = ftt_lock_acquire_for(self, ftt_lock_of(self), timeout, false);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

static PyObject *
lock_enter(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_note_use(self);
    if (ftt_lock_acquire_for(self, ftt_lock_of(self), -1, true) == FTT_FAILED) {
        return NULL;
    }
    Py_RETURN_TRUE;
}

static PyObject *
lock_release(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (!ftt_lock_release(ftt_lock_of(self))) {
        PyErr_SetString(PyExc_RuntimeError, "release unlocked lock");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
lock_exit(PyObject *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs))
{
    return lock_release(self, NULL);
}

static PyObject *
lock_locked(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_note_use(self);
    return PyBool_FromLong(ftt_lock_locked(ftt_lock_of(self)));
}

static PyObject *
lock_at_fork_reinit(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_lock_reinit(ftt_lock_of(self));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(acquire_doc,
             "acquire($self, /, blocking=True, timeout=-1)\n--\n\n"
             "Take the lock; True if it was taken, False if not within the timeout.\n\n"
             "timeout is in seconds, rounded up to nanoseconds on the monotonic clock; -1 waits\n"
             "without limit.  blocking=False tries once and fails only if the lock is held.\n"
             "Raises ValueError for a negative timeout, NaN, or a timeout without blocking,\n"
             "OverflowError above threading.TIMEOUT_MAX, PythonFinalizationError if it would\n"
             "have to wait while the interpreter is finalizing.\n\n"
             "Any thread may call it.  In the main thread signal handlers run during the wait;\n"
             "if one raises, the lock is not taken.");
PyDoc_STRVAR(release_doc,
             "release($self, /)\n--\n\n"
             "Release the lock; any thread may.  Never waits, so signal handlers, __del__ and\n"
             "weakref callbacks may call it.  Raises RuntimeError if the lock is not locked.");
PyDoc_STRVAR(locked_doc,
             "locked($self, /)\n--\n\n"
             "Whether some thread holds the lock at this moment.");
PyDoc_STRVAR(acquire_lock_doc,
             "acquire_lock($self, /, blocking=True, timeout=-1)\n--\n\nThe old name of acquire().");
PyDoc_STRVAR(release_lock_doc, "release_lock($self, /)\n--\n\nThe old name of release().");
PyDoc_STRVAR(locked_lock_doc, "locked_lock($self, /)\n--\n\nThe old name of locked().");
PyDoc_STRVAR(enter_doc, "__enter__($self, /)\n--\n\nThe same as acquire().");
PyDoc_STRVAR(exit_doc, "__exit__($self, /, *exc_info)\n--\n\nThe same as release().");
PyDoc_STRVAR(reinit_doc,
             "_at_fork_reinit($self, /)\n--\n\n"
             "Make the lock unlocked with nobody waiting, in the child of a fork.");

PyMethodDef ftt_lock_methods[] = {
    {"acquire", FTT_FASTCALL(lock_acquire), METH_FASTCALL | METH_KEYWORDS,
     acquire_doc},
    {"release", lock_release, METH_NOARGS, release_doc},
    {"locked", lock_locked, METH_NOARGS, locked_doc},
    {"__enter__", lock_enter, METH_NOARGS, enter_doc},
    {"__exit__", FTT_FASTCALL(lock_exit), METH_FASTCALL, exit_doc},
    {"acquire_lock", FTT_FASTCALL(lock_acquire), METH_FASTCALL | METH_KEYWORDS,
     acquire_lock_doc},
    {"release_lock", lock_release, METH_NOARGS, release_lock_doc},
    {"locked_lock", lock_locked, METH_NOARGS, locked_lock_doc},
    {"_at_fork_reinit", lock_at_fork_reinit, METH_NOARGS, reinit_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(lock_doc,
             "Lock()\n--\n\n"
             "A mutual exclusion lock: one thread holds it, others wait in acquire().\n\n"
             "It is not owned: any thread may release it, and a thread that acquires it twice\n"
             "waits for somebody else.  Waiters are served in the order of arrival once they\n"
             "have waited a millisecond; before that a running thread may overtake them.");

static PyGetSetDef lock_getset[] = {
    FTT_CLASS_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot lock_slots[] = {
    {Py_tp_doc, (void *)lock_doc},
    {Py_tp_new, lock_new},
    {Py_tp_dealloc, ftt_lock_dealloc},
    {Py_tp_traverse, lock_traverse},
    {Py_tp_repr, lock_repr},
    {Py_tp_methods, ftt_lock_methods},
    {Py_tp_getset, lock_getset},
    {0, NULL},
};

PyType_Spec ftt_lock_spec = {
    .name = "ftthreading.Lock",
    .basicsize = sizeof(lock_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_MANAGED_WEAKREF,
    .slots = lock_slots,
};
