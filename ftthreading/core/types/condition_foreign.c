/* Any object with acquire and release as a Condition's lock.

   It is asked through its methods: _release_save, _acquire_restore and _is_owned if it has
   them, else Condition's own of these names, which a subclass of Condition may override.

   Taking it back.  Its method may run Python code, and so may raise what a signal handler
   raises, before it has the lock or after.  Called again after, it would wait for ever for
   what this thread has, or have it twice; so it is called again only if the lock can say that
   it is not ours, and never more than MOST_CALLS times, should it be broken.  The exceptions of
   a lock in another thread than the one that runs signal handlers are its own, and final. */

#include "condition_object.h"
#include "types.h"
#include "python/object.h"

#define MOST_CALLS 10

/* Calls the lock's method of that name, if it has one, else Condition's own on self; the instance's
   own comes first. */
static PyObject *
ask(PyObject *self, const char *name, PyObject *argument)
{
    PyObject *method = NULL;
    if (!cast(self)->own_ways &&
        ftt_optional_attribute(cast(self)->lock, name, &method) < 0) {
        return NULL;
    }
    if (method == NULL) {
        method = ftt_attribute(self, name);
    }
    if (method == NULL) {
        return NULL;
    }
    PyObject *result = argument == NULL ? PyObject_CallNoArgs(method)
                                        : PyObject_CallOneArg(method, argument);
    Py_DECREF(method);
    return result;
}

int
ftt_foreign_is_owned(PyObject *self)
{
    if (lock_of(self) == NULL) {
        return -1;
    }
    PyObject *answer = ask(self, "_is_owned", NULL);
    if (answer == NULL) {
        return -1;
    }
    int owned = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return owned;
}

/* Condition's own methods: the lock's if it has them, else what will do for any lock. */

static PyObject *
lock_method(PyObject *self, const char *name)
{
    PyObject *method = NULL;
    if (lock_of(self) != NULL) {
        (void)ftt_optional_attribute(cast(self)->lock, name, &method);
    }
    return method;
}

PyObject *
ftt_condition_release_save_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *method = lock_method(self, "_release_save");
    if (method == NULL && !PyErr_Occurred()) {
        method = ftt_attribute(cast(self)->lock, "release");
    }
    PyObject *result = method == NULL ? NULL : PyObject_CallNoArgs(method);
    Py_XDECREF(method);
    return result;
}

PyObject *
ftt_condition_acquire_restore_method(PyObject *self, PyObject *saved)
{
    PyObject *method = lock_method(self, "_acquire_restore");
    PyObject *result = NULL;
    if (method != NULL) {
        result = PyObject_CallOneArg(method, saved);
    }
    else if (!PyErr_Occurred()) {
        result = PyObject_CallMethod(cast(self)->lock, "acquire", NULL);
    }
    Py_XDECREF(method);
    return result;
}

/* Whether anybody holds a lock that does not say who does. */
static int
is_taken(PyObject *lock)
{
    PyObject *taken = PyObject_CallMethod(lock, "acquire", "O", Py_False);
    int was_free = taken == NULL ? -1 : PyObject_IsTrue(taken);
    Py_XDECREF(taken);
    if (was_free <= 0) {
        return was_free < 0 ? -1 : 1;
    }
    PyObject *released = PyObject_CallMethod(lock, "release", NULL);
    Py_XDECREF(released);
    return released == NULL ? -1 : 0;
}

PyObject *
ftt_condition_is_owned_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    int owned = -1;
    if (cast(self)->monitor.lock != NULL) {
        owned = ftt_native_is_owned(cast(self)->monitor);
    }
    else {
        PyObject *method = lock_method(self, "_is_owned");
        if (method != NULL) {
            PyObject *answer = PyObject_CallNoArgs(method);
            Py_DECREF(method);
            return answer;
        }
        owned = PyErr_Occurred() ? -1 : is_taken(cast(self)->lock);
    }
    return owned < 0 ? NULL : PyBool_FromLong(owned);
}

/* Whether the lock says that this thread does not have it.  One that does not know whose it is
   says nothing: that it is free, or taken, would not mean much.  Also false if the user insists
   on an end while it is asked. */
static bool
known_to_be_lost(PyObject *self, ftt_aside *aside)
{
    for (int call = 0; call < MOST_CALLS; call++) {
        PyObject *method = lock_method(self, "_is_owned");
        if (method == NULL && !PyErr_Occurred()) {
            return false;
        }
        PyObject *answer = method == NULL ? NULL : PyObject_CallNoArgs(method);
        int owned = answer == NULL ? -1 : PyObject_IsTrue(answer);
        Py_XDECREF(answer);
        Py_XDECREF(method);
        if (owned >= 0) {
            return owned == 0;
        }
        if (ftt_set_aside_or_give_up(aside)) {
            return false;
        }
    }
    return false;
}

/* An RLock of ours, most likely of a subclass, has set the first KeyboardInterrupt aside itself:
   one with which it ends without the lock is the second. */
static bool
has_had_an_interrupt(PyObject *lock)
{
    return ftt_is_rlock(lock) && !ftt_rlock_is_owned(ftt_rlock_of(lock));
}

/* Gets the lock back if it can be had; what is raised meanwhile is set aside. */
static void
restore_lock(PyObject *self, PyObject *saved, ftt_aside *aside)
{
    for (int call = 0; call < MOST_CALLS; call++) {
        PyObject *restored = ask(self, "_acquire_restore", saved);
        if (restored != NULL) {
            Py_DECREF(restored);
            return;
        }
        aside->interrupted = aside->interrupted || has_had_an_interrupt(cast(self)->lock);
        if (ftt_set_aside_or_give_up(aside) || !ftt_interruptible() ||
            !known_to_be_lost(self, aside)) {
            return;
        }
    }
}

static void
restore(PyObject *self, PyObject *saved, ftt_aside *aside)
{
    bool before = ftt_this_thread.returning;
    ftt_this_thread.returning = true;
    restore_lock(self, saved, aside);
    ftt_this_thread.returning = before;
}

ftt_outcome
ftt_foreign_wait(PyObject *self, int64_t timeout)
{
    ftt_condition_turn turn;
    bool notified = false;
    ftt_aside aside = {0};
    if (ftt_condition_begin(&turn, &cast(self)->condition, timeout) < 0) {
        return FTT_FAILED;
    }
    PyObject *saved = ask(self, "_release_save", NULL);
    ftt_outcome outcome;
    if (saved == NULL) {
        ftt_set_aside(&aside);
        outcome = ftt_condition_end(&turn, false, &notified);
    }
    else {
        outcome = ftt_condition_end(&turn, true, &notified);
        if (outcome == FTT_FAILED) {
            ftt_set_aside(&aside);
        }
        restore(self, saved, &aside);
        Py_DECREF(saved);
    }
    if (aside.exception == NULL) {
        return outcome;
    }
    if (notified) {
        ftt_condition_notify(&cast(self)->condition, 1);
    }
    ftt_raise_again(&aside);
    return FTT_FAILED;
}
