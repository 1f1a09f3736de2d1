/* Any object with acquire and release as a Condition's lock.

   It is asked through its methods: _release_save, _acquire_restore and _is_owned if it has
   them, else Condition's own of these names, which a subclass of Condition may override. */

#include "condition_type.h"

/* Calls the lock's method of that name, if it has one, else Condition's own on self. */
static PyObject *
ask(PyObject *self, const char *name, PyObject *argument)
{
    PyObject *method;
    if (PyObject_GetOptionalAttrString(cast(self)->lock, name, &method) < 0) {
        return NULL;
    }
    if (method == NULL) {
        method = PyObject_GetAttrString(self, name);
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
        (void)PyObject_GetOptionalAttrString(cast(self)->lock, name, &method);
    }
    return method;
}

PyObject *
ftt_condition_release_save_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *method = lock_method(self, "_release_save");
    if (method == NULL && !PyErr_Occurred()) {
        method = PyObject_GetAttrString(cast(self)->lock, "release");
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
        owned = ftt_condition_is_owned(self);
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

/* Whether the lock says that this thread has it.  One that does not know whose it is says no:
   that it is taken would not mean that it is ours. */
static bool
known_to_be_owned(PyObject *self)
{
    PyObject *method = lock_method(self, "_is_owned");
    PyObject *answer = method == NULL ? NULL : PyObject_CallNoArgs(method);
    bool owned = answer != NULL && PyObject_IsTrue(answer) == 1;
    Py_XDECREF(answer);
    Py_XDECREF(method);
    PyErr_Clear();
    return owned;
}

/* Gets the lock back, whatever signal handlers raise meanwhile: the first exception is
   kept in *first.  A lock that cannot be had, because its method raises each time, ends this
   after a few attempts. */
static void
restore(PyObject *self, PyObject *saved, void **first)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        PyObject *restored = ask(self, "_acquire_restore", saved);
        if (restored != NULL) {
            Py_DECREF(restored);
            return;
        }
        ftt_set_aside(first);
        if (known_to_be_owned(self)) {
            return;
        }
    }
}

ftt_outcome
ftt_foreign_wait(PyObject *self, int64_t timeout)
{
    ftt_condition_turn turn;
    bool notified = false;
    void *raised = NULL;
    if (ftt_condition_begin(&turn, &cast(self)->condition, timeout) < 0) {
        return FTT_FAILED;
    }
    PyObject *saved = ask(self, "_release_save", NULL);
    ftt_outcome outcome;
    if (saved == NULL) {
        ftt_set_aside(&raised);
        outcome = ftt_condition_end(&turn, false, &notified);
    }
    else {
        outcome = ftt_condition_end(&turn, true, &notified);
        if (outcome == FTT_FAILED) {
            ftt_set_aside(&raised);
        }
        restore(self, saved, &raised);
        Py_DECREF(saved);
    }
    if (raised == NULL) {
        return outcome;
    }
    if (notified) {
        ftt_condition_notify(&cast(self)->condition, cast(self)->monitor, 1);
    }
    ftt_raise_again(raised);
    return FTT_FAILED;
}
