/* The methods of a Condition that are its lock's own: in C for a lock of ours, by asking it for
   any other. */

#include "python/arguments.h"
#include "acquire.h"
#include "condition_object.h"
#include "python/object.h"

static PyObject *
forward(PyObject *self, const char *name, PyObject *const *args, Py_ssize_t nargs,
        PyObject *names)
{
    PyObject *lock = lock_of(self);
    PyObject *method = lock == NULL ? NULL : ftt_attribute(lock, name);
    if (method == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(method, args, (size_t)nargs, names);
    Py_DECREF(method);
    return result;
}

static ftt_outcome
acquire_native(PyObject *self, int64_t timeout, bool with)
{
    ftt_monitor monitor = cast(self)->monitor;
    PyObject *lock = cast(self)->lock; /* this is what is waited for */
    return monitor.rlock != NULL ? ftt_rlock_acquire_for(lock, monitor.rlock, timeout)
                                 : ftt_lock_acquire_for(lock, monitor.lock, timeout, with);
}

PyObject *
ftt_condition_acquire_method(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *names)
{
    if (cast(self)->monitor.lock == NULL) {
        return forward(self, "acquire", args, nargs, names);
    }
    int64_t timeout = -1;
    if ((nargs != 0 || names != NULL) && ftt_parse_acquire(args, nargs, names, &timeout) < 0) {
        return NULL;
    }
    ftt_outcome outcome = acquire_native(self, timeout, false);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

static PyObject *
release_native(ftt_monitor monitor)
{
    if (monitor.rlock != NULL) {
        if (!ftt_rlock_release(monitor.rlock)) {
            PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
            return NULL;
        }
    }
    else if (!ftt_lock_release(monitor.lock)) {
        PyErr_SetString(PyExc_RuntimeError, "release unlocked lock");
        return NULL;
    }
    Py_RETURN_NONE;
}

int
ftt_native_release(ftt_monitor monitor)
{
    PyObject *none = release_native(monitor);
    Py_XDECREF(none);
    return none == NULL ? -1 : 0;
}

PyObject *
ftt_condition_release_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (cast(self)->monitor.lock == NULL) {
        return forward(self, "release", NULL, 0, NULL);
    }
    return release_native(cast(self)->monitor);
}

PyObject *
ftt_condition_locked_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (cast(self)->monitor.lock == NULL) {
        return forward(self, "locked", NULL, 0, NULL);
    }
    return PyBool_FromLong(ftt_lock_locked(cast(self)->monitor.lock));
}

/* A lock without __enter__ will do: acquire and release are all that is asked of it. */
static const char *
one_of(PyObject *lock, const char *special, const char *plain)
{
    return lock == NULL || PyObject_HasAttrString((PyObject *)Py_TYPE(lock), special) ? special
                                                                                      : plain;
}

PyObject *
ftt_condition_enter_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (cast(self)->monitor.lock == NULL) {
        return forward(self, one_of(cast(self)->lock, "__enter__", "acquire"), NULL, 0, NULL);
    }
    if (acquire_native(self, -1, true) == FTT_FAILED) {
        return NULL;
    }
    Py_RETURN_TRUE;
}

PyObject *
ftt_condition_exit_method(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (cast(self)->monitor.lock == NULL) {
        const char *name = one_of(cast(self)->lock, "__exit__", "release");
        return forward(self, name, args, name[0] == '_' ? nargs : 0, NULL);
    }
    return release_native(cast(self)->monitor);
}

PyObject *
ftt_condition_at_fork_reinit_method(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_monitor monitor = cast(self)->monitor;
    PyObject *done = NULL;
    /* In the child of a fork, the less of the interpreter is asked the better. */
    if (monitor.rlock != NULL) {
        ftt_rlock_reinit(monitor.rlock);
        done = Py_NewRef(Py_None);
    }
    else if (monitor.lock != NULL) {
        ftt_lock_reinit(monitor.lock);
        done = Py_NewRef(Py_None);
    }
    else {
        done = forward(self, "_at_fork_reinit", NULL, 0, NULL);
    }
    if (done != NULL) {
        ftt_condition_reinit(&cast(self)->condition);
    }
    return done;
}
