/* The Python type RLock over rlock.h.

   threading.RLock is a function that returns an instance of a type; here the type itself
   stands for both, which saves every creation a Python call.  It may be subclassed, and
   then leaves the arguments to the subclass. */

#include <limits.h>
#include <stddef.h>

#include "python/arguments.h"
#include "python/cpython.h"
#include "python/object.h"
#include "profiling/profiling.h"
#include "acquire.h"
#include "recorder.h"
#include "stand_in.h"

ftt_rlock *
ftt_rlock_of(PyObject *self)
{
    return &((rlock_object *)self)->rlock;
}

bool
ftt_is_rlock(PyObject *lock)
{
    PyTypeObject *type = Py_TYPE(lock);
    while (type != NULL && type->tp_dealloc != ftt_rlock_dealloc) {
        type = type->tp_base;
    }
    return type != NULL;
}

static int
check_arguments(PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) == 0 && (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0)) {
        return 0;
    }
#if FTT_RLOCK_REFUSES_ARGUMENTS
    PyErr_SetString(PyExc_TypeError, "RLock() takes no arguments");
    return -1;
#else
    return PyErr_WarnEx(PyExc_DeprecationWarning,
                        "Passing arguments to RLock is deprecated and will be removed in 3.15",
                        1);
#endif
}

static PyObject *
rlock_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    /* RLock is immutable, classes made by a class statement are not. */
    bool subclass = (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) == 0;
#if FTT_RLOCK_REFUSES_ARGUMENTS
    subclass = subclass && type->tp_init != PyBaseObject_Type.tp_init;
#endif
    if (!subclass && check_arguments(args, kwargs) < 0) {
        return NULL;
    }
    /* All zero is an unlocked RLock. */
    PyObject *self = ftt_shared_new(type);
    if (self != NULL) {
        ftt_note_made(&ftt_rlock_of(self)->lock);
    }
    return (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) == 0 ? ftt_trace_made(self) : self;
}

static int
rlock_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

void
ftt_rlock_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
rlock_repr(PyObject *self)
{
    ftt_rlock *rlock = ftt_rlock_of(self);
    bool locked = ftt_lock_locked(&rlock->lock);
    unsigned long ident = atomic_load_explicit(&rlock->ident, memory_order_relaxed);
    PyObject *name = ftt_lock_class_name(self);
    if (name == NULL) {
        return NULL;
    }
    PyObject *repr = PyUnicode_FromFormat("<%s %U object owner=%lu count=%lu at %p>",
                                          locked ? "locked" : "unlocked", name,
                                          locked ? ident : 0ul, ftt_rlock_count(rlock), self);
    Py_DECREF(name);
    return repr;
}

static PyObject *
not_owned(void)
{
    PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
    return NULL;
}

static ftt_outcome
acquire(PyObject *self, int64_t timeout)
{
    ftt_rlock *rlock = ftt_rlock_of(self);
    ftt_note_use(self);
    if (ftt_rlock_count(rlock) == ULONG_MAX && ftt_rlock_is_owned(rlock)) {
        PyErr_SetString(PyExc_OverflowError, "Internal lock count overflowed");
        return FTT_FAILED;
    }
    return ftt_rlock_acquire_for(self, rlock, timeout);
}

static PyObject *
rlock_acquire(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    int64_t timeout = -1;
    if ((nargs != 0 || names != NULL) && ftt_parse_acquire(args, nargs, names, &timeout) < 0) {
        return NULL;
    }
    ftt_outcome outcome = acquire(self, timeout);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

static PyObject *
rlock_enter(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (acquire(self, -1) == FTT_FAILED) {
        return NULL;
    }
    Py_RETURN_TRUE;
}

static PyObject *
rlock_release(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (!ftt_rlock_release(ftt_rlock_of(self))) {
        return not_owned();
    }
    Py_RETURN_NONE;
}

static PyObject *
rlock_exit(PyObject *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs))
{
    return rlock_release(self, NULL);
}

static PyObject *
rlock_locked(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(ftt_lock_locked(&ftt_rlock_of(self)->lock));
}

static PyObject *
rlock_is_owned(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(ftt_rlock_is_owned(ftt_rlock_of(self)));
}

static PyObject *
rlock_recursion_count(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_rlock *rlock = ftt_rlock_of(self);
    return PyLong_FromUnsignedLong(ftt_rlock_is_owned(rlock) ? ftt_rlock_count(rlock) : 0);
}

PyObject *
ftt_rlock_release_save_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_rlock *rlock = ftt_rlock_of(self);
    if (!ftt_rlock_is_owned(rlock)) {
        return not_owned();
    }
    /* Made before the lock is given up, so that a MemoryError leaves it held. */
    PyObject *state = Py_BuildValue("kk", ftt_rlock_count(rlock), ftt_this_thread.ident);
    if (state != NULL) {
        ftt_rlock_disown(rlock);
    }
    return state;
}

/* Waits until it has the lock, whatever signal handlers raise meanwhile: the caller is on its
   way out of Condition.wait() and should leave with the lock held.  False if it is not: the
   user insists on an end (blocking.h), or at finalization the lock can no longer be had. */
static bool
acquire_without_fail(PyObject *self, ftt_aside *aside)
{
    ftt_rlock *rlock = ftt_rlock_of(self);
    while (ftt_rlock_acquire_for(self, rlock, -1) != FTT_ACQUIRED) {
        bool give_up = ftt_set_aside_or_give_up(aside) || ftt_finalizing();
        if (give_up && !ftt_rlock_is_owned(rlock)) {
            return false;
        }
    }
    return true;
}

PyObject *
ftt_rlock_acquire_restore_method(PyObject *self, PyObject *state)
{
    unsigned long count, ident;
    if (!PyTuple_Check(state)) {
        PyErr_Format(PyExc_TypeError, "_acquire_restore() argument 1 must be tuple, not %.200s",
                     Py_TYPE(state)->tp_name);
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "kk:_acquire_restore", &count, &ident)) {
        return NULL;
    }
    ftt_rlock *rlock = ftt_rlock_of(self);
    ftt_aside aside = {0};
    if (acquire_without_fail(self, &aside)) {
        /* More than once if a signal handler took it meanwhile and kept it. */
        ftt_rlock_set_count(rlock, ftt_rlock_count(rlock) - 1 + count);
    }
    if (ftt_raise_again(&aside) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
rlock_at_fork_reinit(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_rlock_reinit(ftt_rlock_of(self));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(acquire_doc,
             "acquire($self, /, blocking=True, timeout=-1)\n--\n\n"
             "Take the lock, once more if this thread has it already; True if it was taken,\n"
             "False if not within the timeout.\n\n"
             "timeout is in seconds, rounded up to nanoseconds on the monotonic clock; -1 waits\n"
             "without limit.  Errors as for Lock.acquire().  In the main thread signal handlers\n"
             "run during the wait; if one takes this lock and keeps it, so does the caller.");
PyDoc_STRVAR(release_doc,
             "release($self, /)\n--\n\n"
             "Undo one acquire(); the last one releases the lock.  Never waits.  Raises\n"
             "RuntimeError if this thread does not own the lock.");
PyDoc_STRVAR(locked_doc,
             "locked($self, /)\n--\n\n"
             "Whether some thread, this one included, holds the lock at this moment.");
PyDoc_STRVAR(enter_doc, "__enter__($self, /)\n--\n\nThe same as acquire().");
PyDoc_STRVAR(exit_doc, "__exit__($self, /, *exc_info)\n--\n\nThe same as release().");
PyDoc_STRVAR(is_owned_doc,
             "_is_owned($self, /)\n--\n\nWhether this thread owns the lock.");
PyDoc_STRVAR(recursion_count_doc,
             "_recursion_count($self, /)\n--\n\n"
             "How often this thread has acquired the lock and not released it.");
PyDoc_STRVAR(release_save_doc,
             "_release_save($self, /)\n--\n\n"
             "Release the lock however often it was acquired; returns what _acquire_restore()\n"
             "takes.  Raises RuntimeError if this thread does not own the lock.");
PyDoc_STRVAR(acquire_restore_doc,
             "_acquire_restore($self, state, /)\n--\n\n"
             "Take the lock as often as _release_save() gave it up.  An exception from a signal\n"
             "handler is raised only once the lock is held; but the second KeyboardInterrupt ends\n"
             "it without.");
PyDoc_STRVAR(reinit_doc,
             "_at_fork_reinit($self, /)\n--\n\n"
             "Make the lock unlocked with nobody waiting, in the child of a fork.");

PyMethodDef ftt_rlock_methods[] = {
    {"acquire", FTT_FASTCALL(rlock_acquire), METH_FASTCALL | METH_KEYWORDS,
     acquire_doc},
    {"release", rlock_release, METH_NOARGS, release_doc},
    {"locked", rlock_locked, METH_NOARGS, locked_doc},
    {"__enter__", rlock_enter, METH_NOARGS, enter_doc},
    {"__exit__", FTT_FASTCALL(rlock_exit), METH_FASTCALL, exit_doc},
    {"_is_owned", rlock_is_owned, METH_NOARGS, is_owned_doc},
    {"_recursion_count", rlock_recursion_count, METH_NOARGS, recursion_count_doc},
    {"_release_save", ftt_rlock_release_save_method, METH_NOARGS, release_save_doc},
    {"_acquire_restore", ftt_rlock_acquire_restore_method, METH_O, acquire_restore_doc},
    {"_at_fork_reinit", rlock_at_fork_reinit, METH_NOARGS, reinit_doc},
    {NULL, NULL, 0, NULL},
};

#if FTT_RLOCK_REFUSES_ARGUMENTS
#define SIGNATURE "RLock()\n--\n\n"
#else
#define SIGNATURE "RLock(*args, **kwargs)\n--\n\n"
#endif

PyDoc_STRVAR(rlock_doc,
             SIGNATURE
             "A lock that its owner may acquire again.\n\n"
             "It must be released by the thread that acquired it, as often as it was acquired.");

static PyGetSetDef rlock_getset[] = {
    FTT_CLASS_GETSET,
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot rlock_slots[] = {
    {Py_tp_doc, (void *)rlock_doc},
    {Py_tp_new, rlock_new},
    {Py_tp_dealloc, ftt_rlock_dealloc},
    {Py_tp_traverse, rlock_traverse},
    {Py_tp_repr, rlock_repr},
    {Py_tp_methods, ftt_rlock_methods},
    {Py_tp_getset, rlock_getset},
    {0, NULL},
};

PyType_Spec ftt_rlock_spec = {
    .name = "ftthreading.RLock",
    .basicsize = sizeof(rlock_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_MANAGED_WEAKREF,
    .slots = rlock_slots,
};
