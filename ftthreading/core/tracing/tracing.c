/* Telling a recorder, written in Python, which locks are taken and released.

   While nobody records none of this is called: see switch.c, which puts these functions in
   the place of the plain ones.  They do the same to the lock, so it does not matter which of the two
   a thread calls meanwhile.  The recorder is an interpreter's; which one, the lock's type tells.

   Exceptions.  The recorder raises none of its own, but it is Python code, in which a signal
   handler may run and raise, and memory or the stack may run out.  No lock is lost by that:

     made       the lock is dropped, Lock() raises
     wanted     the lock is not taken, acquire() raises, as if the handler had run in the wait
     taken      the lock is released again, which is told, and acquire() raises; but where a call
                must not end without the lock, at the end of Condition.wait(), it stays taken
     released   the lock is released, then release() raises */

#include "tracing.h"

#include "python/arguments.h"
#include "python/function.h"
#include "types/acquire.h"
#include "types/condition_object.h"
#include "types/recorder.h"

#include <limits.h>

#define SUSPENSE ((int64_t)1000 * 1000 * 1000) /* ns */

/* `lock` is of ours, RLocks of subclasses included. */
static ftt_monitor
parts_of(PyObject *lock)
{
    if (!ftt_is_rlock(lock)) {
        return (ftt_monitor){ftt_lock_of(lock), NULL};
    }
    ftt_rlock *rlock = ftt_rlock_of(lock);
    return (ftt_monitor){&rlock->lock, rlock};
}

static bool
is_mine(ftt_monitor parts)
{
    return parts.rlock != NULL && ftt_rlock_is_owned(parts.rlock);
}

/* The caller's object is not enough to keep the lock: the recorder runs Python. */
static ftt_outcome
take(PyObject *lock, ftt_monitor parts, int64_t timeout, bool with)
{
    if (parts.rlock == NULL) {
        return ftt_lock_acquire_for(lock, parts.lock, timeout, with);
    }
    if (ftt_rlock_count(parts.rlock) == ULONG_MAX && is_mine(parts)) {
        PyErr_SetString(PyExc_OverflowError, "Internal lock count overflowed");
        return FTT_FAILED;
    }
    return ftt_rlock_acquire_for(lock, parts.rlock, timeout);
}

static ftt_outcome
acquire_held(PyObject *lock, ftt_monitor parts, int64_t timeout, bool with)
{
    if (is_mine(parts)) {
        return take(lock, parts, timeout, with);
    }
    ftt_outcome outcome = FTT_TIMED_OUT;
    if (timeout < 0) {
        int suspect = ftt_tell(lock, FTT_WANTED, with, false);
        if (suspect < 0) {
            return FTT_FAILED;
        }
        if (suspect > 0) {
            outcome = take(lock, parts, SUSPENSE, with);
            if (outcome == FTT_TIMED_OUT && ftt_tell(lock, FTT_WANTED, with, true) < 0) {
                return FTT_FAILED;
            }
        }
    }
    if (outcome == FTT_TIMED_OUT) {
        outcome = take(lock, parts, timeout, with);
    }
    if (outcome == FTT_ACQUIRED && ftt_tell(lock, FTT_TAKEN, with, false) < 0) {
        /* The recorder may have noted it before. */
        PyObject *raised = PyErr_GetRaisedException();
        if (ftt_tell(lock, FTT_RELEASED, false, false) < 0) {
            PyErr_Clear();
        }
        ftt_native_release(parts);
        PyErr_SetRaisedException(raised);
        return FTT_FAILED;
    }
    return outcome;
}

static ftt_outcome
acquire(PyObject *lock, int64_t timeout, bool with)
{
    Py_INCREF(lock);
    ftt_outcome outcome = acquire_held(lock, parts_of(lock), timeout, with);
    Py_DECREF(lock);
    return outcome;
}

static PyObject *
release(PyObject *lock)
{
    ftt_monitor parts = parts_of(lock);
    bool outermost = parts.rlock == NULL || (is_mine(parts) && ftt_rlock_count(parts.rlock) == 1);
    ftt_aside aside = {0};
    Py_INCREF(lock);
    if (outermost && ftt_tell(lock, FTT_RELEASED, false, false) < 0) {
        ftt_set_aside(&aside);
    }
    bool released = ftt_native_release(parts) == 0;
    Py_DECREF(lock);
    if (released && ftt_raise_again(&aside) == 0) {
        Py_RETURN_NONE;
    }
    Py_XDECREF((PyObject *)aside.exception); /* release()'s own is what the caller must know */
    return NULL;
}

/* What follows stands in the place of the methods of the same names. */

static PyObject *
traced_acquire(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    int64_t timeout = -1;
    if ((nargs != 0 || names != NULL) && ftt_parse_acquire(args, nargs, names, &timeout) < 0) {
        return NULL;
    }
    ftt_outcome outcome = acquire(self, timeout, false);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

static PyObject *
traced_enter(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return acquire(self, -1, true) == FTT_FAILED ? NULL : Py_NewRef(Py_True);
}

static PyObject *
traced_release(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return release(self);
}

static PyObject *
traced_exit(PyObject *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs))
{
    return release(self);
}

static PyObject *
traced_release_save(PyObject *self, PyObject *ignored)
{
    /* Whoever asks for this is about to wait, and comes back with _acquire_restore(). */
    if (is_mine(parts_of(self)) && ftt_tell(self, FTT_WAITS, false, false) < 0) {
        return NULL;
    }
    return ftt_rlock_release_save_method(self, ignored);
}

static PyObject *
traced_acquire_restore(PyObject *self, PyObject *state)
{
    PyObject *done = ftt_rlock_acquire_restore_method(self, state);
    ftt_aside aside = {0};
    if (done == NULL) {
        ftt_set_aside(&aside);
    }
    if (is_mine(parts_of(self)) && ftt_tell(self, FTT_TAKEN, false, false) < 0) {
        Py_CLEAR(done);
        ftt_set_aside(&aside);
    }
    return ftt_raise_again(&aside) < 0 ? NULL : done;
}

static PyObject *
traced_condition_acquire(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    return cast(self)->monitor.lock == NULL
               ? ftt_condition_acquire_method(self, args, nargs, names)
               : traced_acquire(cast(self)->lock, args, nargs, names);
}

static PyObject *
traced_condition_release(PyObject *self, PyObject *ignored)
{
    return cast(self)->monitor.lock == NULL ? ftt_condition_release_method(self, ignored)
                                            : release(cast(self)->lock);
}

vectorcallfunc
ftt_plain_call(const char *name)
{
    const ftt_function *row = ftt_condition_functions;
    while (strcmp(row->name, name) != 0) {
        row++;
    }
    return row->call;
}

static bool
is_native(PyObject *const *args, size_t nargsf, PyObject *names, Py_ssize_t most)
{
    return ftt_is_call(args, nargsf, names, 1, most, ftt_condition_dealloc) &&
           cast(args[0])->monitor.lock != NULL;
}

static PyObject *
traced_call_enter(FTT_CALL)
{
    return is_native(args, nargsf, names, 1)
               ? traced_enter(cast(args[0])->lock, NULL)
               : ftt_plain_call("__enter__")(function, args, nargsf, names);
}

static PyObject *
traced_call_exit(FTT_CALL)
{
    return is_native(args, nargsf, names, 4)
               ? release(cast(args[0])->lock)
               : ftt_plain_call("__exit__")(function, args, nargsf, names);
}

/* For a lock that is foreign to the condition, what wait() asks of it is seen. */
static PyObject *
traced_call_wait(FTT_CALL)
{
    vectorcallfunc plain = ftt_plain_call("wait");
    if (PyVectorcall_NARGS(nargsf) < 1 || !ftt_is_of(args[0], ftt_condition_dealloc) ||
        ftt_condition_monitor(args[0]).lock == NULL) {
        return plain(function, args, nargsf, names);
    }
    PyObject *lock = Py_NewRef(cast(args[0])->lock);
    ftt_monitor parts = ftt_condition_monitor(args[0]);
    PyObject *result = NULL;
    int held = ftt_tell(lock, FTT_WAITS, false, false);
    if (held >= 0) {
        result = plain(function, args, nargsf, names);
    }
    ftt_aside aside = {0};
    if (result == NULL) {
        ftt_set_aside(&aside);
    }
    if (held > 0 && ftt_native_is_owned(parts) && ftt_tell(lock, FTT_TAKEN, false, false) < 0) {
        Py_CLEAR(result);
        ftt_set_aside(&aside);
    }
    Py_DECREF(lock);
    return ftt_raise_again(&aside) < 0 ? NULL : result;
}

PyObject *
ftt_traced_alloc(PyTypeObject *type, Py_ssize_t items)
{
    return ftt_trace_made(PyType_GenericAlloc(type, items));
}

ftt_traced_method ftt_traced_methods[] = {
    {ftt_lock_methods, "acquire", FTT_FASTCALL(traced_acquire)},
    {ftt_lock_methods, "release", traced_release},
    {ftt_lock_methods, "__enter__", traced_enter},
    {ftt_lock_methods, "__exit__", FTT_FASTCALL(traced_exit)},
    {ftt_lock_methods, "acquire_lock", FTT_FASTCALL(traced_acquire)},
    {ftt_lock_methods, "release_lock", traced_release},
    {ftt_rlock_methods, "acquire", FTT_FASTCALL(traced_acquire)},
    {ftt_rlock_methods, "release", traced_release},
    {ftt_rlock_methods, "__enter__", traced_enter},
    {ftt_rlock_methods, "__exit__", FTT_FASTCALL(traced_exit)},
    {ftt_rlock_methods, "_release_save", traced_release_save},
    {ftt_rlock_methods, "_acquire_restore", traced_acquire_restore},
    {ftt_condition_methods, "acquire", FTT_FASTCALL(traced_condition_acquire)},
    {ftt_condition_methods, "release", traced_condition_release},
    {NULL, NULL, NULL},
};

const ftt_function ftt_traced_functions[] = {
    {"__enter__", traced_call_enter, NULL},
    {"__exit__", traced_call_exit, NULL},
    {"wait", traced_call_wait, NULL},
    {NULL, NULL, NULL},
};
