/* The Python type Condition over condition.h.

   The lock decides the way.  A Lock or RLock of ours, and of exactly that type, is released
   and taken back in C (native).  Any other object with acquire and release, a subclass of
   RLock included, is asked through its methods: _release_save, _acquire_restore and _is_owned
   if it has them, else Condition's own, which a subclass of Condition may override; so is a
   Lock of ours by such a subclass. */

#include <stddef.h>

#include "arguments.h"
#include "condition.h"
#include "object.h"
#include "types.h"

typedef struct {
    FTT_OBJECT_HEAD
    ftt_condition condition;
    ftt_monitor monitor; /* of a native lock */
    PyObject *lock;      /* NULL before __init__ */
} condition_object;

static condition_object *
cast(PyObject *self)
{
    return (condition_object *)self;
}

static ftt_module_state *
state_of(PyObject *self)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &ftt_module);
    return module == NULL ? NULL : PyModule_GetState(module);
}

static PyObject *
condition_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return ftt_object_new(type);
}

/* Whether a subclass has its own way of releasing the lock, say.  A Lock has none, so in
   threading the condition's counts; an RLock's own comes first. */
static int
overrides(PyObject *self, PyTypeObject *base)
{
    static const char *const names[] = {"_release_save", "_acquire_restore", "_is_owned"};
    bool differs = false;
    for (size_t i = 0; i < 3 && !differs && !Py_IS_TYPE(self, base); i++) {
        PyObject *own = PyObject_GetAttrString((PyObject *)Py_TYPE(self), names[i]);
        PyObject *inherited = PyObject_GetAttrString((PyObject *)base, names[i]);
        differs = own != inherited;
        Py_XDECREF(own);
        Py_XDECREF(inherited);
    }
    return PyErr_Occurred() ? -1 : differs;
}

static int
condition_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"lock", NULL};
    PyObject *lock = Py_None;
    ftt_module_state *state = state_of(self);
    if (state == NULL || !PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Condition", names, &lock)) {
        return -1;
    }
    if (cast(self)->lock != NULL) {
        /* Another thread may be using the old lock without holding a reference to it. */
        PyErr_SetString(PyExc_RuntimeError, "Condition.__init__() called twice");
        return -1;
    }
    lock = lock == Py_None ? PyObject_CallNoArgs((PyObject *)state->rlock) : Py_NewRef(lock);
    if (lock == NULL) {
        return -1;
    }
    if (Py_IS_TYPE(lock, state->lock)) {
        int overridden = overrides(self, state->condition);
        if (overridden < 0) {
            Py_DECREF(lock);
            return -1;
        }
        cast(self)->monitor.lock = overridden ? NULL : ftt_lock_of(lock);
    }
    else if (Py_IS_TYPE(lock, state->rlock)) {
        cast(self)->monitor.rlock = ftt_rlock_of(lock);
        cast(self)->monitor.lock = &cast(self)->monitor.rlock->lock;
    }
    else {
        /* What threading asks of a lock. */
        for (const char *const *name = (const char *const[]){"acquire", "release", NULL};
             *name != NULL; name++) {
            PyObject *method = PyObject_GetAttrString(lock, *name);
            if (method == NULL) {
                Py_DECREF(lock);
                return -1;
            }
            Py_DECREF(method);
        }
    }
    cast(self)->lock = lock;
    return 0;
}

static int
condition_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(cast(self)->lock);
    return ftt_object_traverse(self, visit, arg);
}

static int
condition_clear(PyObject *self)
{
    cast(self)->monitor = (ftt_monitor){NULL, NULL};
    Py_CLEAR(cast(self)->lock);
    return ftt_object_clear(self);
}

static void
condition_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(cast(self)->lock);
    ftt_object_dealloc(self);
}

/* The lock, borrowed; NULL with an exception set before __init__. */
static PyObject *
lock_of(PyObject *self)
{
    PyObject *lock = cast(self)->lock;
    if (lock == NULL) {
        ftt_not_initialised(self);
    }
    return lock;
}

static PyObject *
condition_repr(PyObject *self)
{
    PyObject *lock = lock_of(self);
    if (lock == NULL) {
        return NULL;
    }
    return PyUnicode_FromFormat("<Condition(%R, %u)>", lock,
                                ftt_condition_waiters(&cast(self)->condition));
}

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

static int
is_owned(PyObject *self)
{
    ftt_monitor monitor = cast(self)->monitor;
    if (monitor.rlock != NULL) {
        return ftt_rlock_is_owned(monitor.rlock);
    }
    if (monitor.lock != NULL) {
        return ftt_lock_locked(monitor.lock);
    }
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

static int
require_owned(PyObject *self, const char *message)
{
    int owned = is_owned(self);
    if (owned == 0) {
        PyErr_SetString(PyExc_RuntimeError, message);
    }
    return owned == 1 ? 0 : -1;
}

/* The methods of these names: the lock's if it has them, else what will do for any lock. */

static PyObject *
lock_method(PyObject *self, const char *name)
{
    PyObject *method = NULL;
    if (lock_of(self) != NULL) {
        (void)PyObject_GetOptionalAttrString(cast(self)->lock, name, &method);
    }
    return method;
}

static PyObject *
condition_release_save(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *method = lock_method(self, "_release_save");
    if (method == NULL && !PyErr_Occurred()) {
        method = PyObject_GetAttrString(cast(self)->lock, "release");
    }
    PyObject *result = method == NULL ? NULL : PyObject_CallNoArgs(method);
    Py_XDECREF(method);
    return result;
}

static PyObject *
condition_acquire_restore(PyObject *self, PyObject *saved)
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

static PyObject *
condition_is_owned(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    int owned = -1;
    if (cast(self)->monitor.lock != NULL) {
        owned = is_owned(self);
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

/* Gets a foreign lock back, whatever signal handlers raise meanwhile: the first exception is
   kept in *first.  A lock that cannot be had, because its method raises each time, ends this
   after a few attempts. */
static void
restore_foreign(PyObject *self, PyObject *saved, void **first)
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

static ftt_outcome
wait_foreign(PyObject *self, int64_t timeout)
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
        restore_foreign(self, saved, &raised);
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

static ftt_outcome
wait(PyObject *self, int64_t timeout)
{
    if (require_owned(self, "cannot wait on un-acquired lock") < 0) {
        return FTT_FAILED;
    }
    if (cast(self)->monitor.lock == NULL) {
        return wait_foreign(self, timeout);
    }
    return ftt_condition_wait(&cast(self)->condition, cast(self)->monitor, timeout);
}

static PyObject *
condition_wait(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const char *const keywords[] = {"timeout"};
    PyObject *seconds = NULL;
    int64_t timeout;
    if (((nargs != 0 || names != NULL) &&
         ftt_parse("wait", keywords, 1, args, nargs, names, &seconds) < 0) ||
        ftt_parse_wait(seconds, &timeout) < 0) {
        return NULL;
    }
    ftt_outcome outcome = wait(self, timeout);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

/* One wait of wait_for(), by the subclass's wait() if there is one. */
static int
wait_again(PyObject *self, int64_t left)
{
    if (!ftt_is_of_subclass(self, condition_dealloc)) {
        return wait(self, left) == FTT_FAILED ? -1 : 0;
    }
    PyObject *ended = left < 0 ? PyObject_CallMethod(self, "wait", "O", Py_None)
                               : PyObject_CallMethod(self, "wait", "d", (double)left * 1e-9);
    Py_XDECREF(ended);
    return ended == NULL ? -1 : 0;
}

static PyObject *
condition_wait_for(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const char *const keywords[] = {"predicate", "timeout"};
    PyObject *values[2];
    int64_t timeout;
    if (ftt_parse("wait_for", keywords, 2, args, nargs, names, values) < 0 ||
        ftt_parse_wait(values[1], &timeout) < 0) {
        return NULL;
    }
    if (values[0] == NULL) {
        PyErr_SetString(PyExc_TypeError, "wait_for() missing required argument 'predicate'");
        return NULL;
    }
    ftt_time deadline = FTT_FOREVER;
    bool limited = timeout >= 0;
    if (limited) {
        ftt_time now = ftt_now();
        deadline = timeout > FTT_FOREVER - now ? FTT_FOREVER : now + timeout;
    }
    for (;;) {
        PyObject *result = PyObject_CallNoArgs(values[0]);
        int true_now = result == NULL ? -1 : PyObject_IsTrue(result);
        if (true_now != 0) {
            if (true_now < 0) {
                Py_CLEAR(result);
            }
            return result;
        }
        int64_t left = limited ? deadline - ftt_now() : -1;
        if (limited && left <= 0) {
            return result;
        }
        Py_DECREF(result);
        if (wait_again(self, left) < 0) {
            return NULL;
        }
    }
}

static int
notify(PyObject *self, uint64_t count)
{
    if (require_owned(self, "cannot notify on un-acquired lock") < 0) {
        return -1;
    }
    ftt_condition_notify(&cast(self)->condition, cast(self)->monitor, count);
    return 0;
}

static PyObject *
condition_notify(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const char *const keywords[] = {"n"};
    PyObject *number = NULL;
    int64_t count = 1;
    if (nargs != 0 || names != NULL) {
        int overflow = 0;
        if (ftt_parse("notify", keywords, 1, args, nargs, names, &number) < 0) {
            return NULL;
        }
        if (number != NULL) {
            count = PyLong_AsLongLongAndOverflow(number, &overflow);
            if (count == -1 && PyErr_Occurred()) {
                return NULL;
            }
        }
        count = overflow > 0 ? INT64_MAX : overflow < 0 || count < 0 ? 0 : count;
    }
    if (notify(self, (uint64_t)count) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
condition_notify_all(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (ftt_is_of_subclass(self, condition_dealloc)) {
        uint32_t waiters = ftt_condition_waiters(&cast(self)->condition);
        return PyObject_CallMethod(self, "notify", "I", waiters);
    }
    if (notify(self, UINT64_MAX) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
condition_notify_all_renamed(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return ftt_warn_renamed("notifyAll", "notify_all") < 0
               ? NULL
               : PyObject_CallMethod(self, "notify_all", NULL);
}

/* The lock's own methods. */

static PyObject *
forward(PyObject *self, const char *name, PyObject *const *args, Py_ssize_t nargs,
        PyObject *names)
{
    PyObject *lock = lock_of(self);
    PyObject *method = lock == NULL ? NULL : PyObject_GetAttrString(lock, name);
    if (method == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(method, args, (size_t)nargs, names);
    Py_DECREF(method);
    return result;
}

static ftt_outcome
acquire_native(ftt_monitor monitor, int64_t timeout)
{
    return monitor.rlock != NULL ? ftt_rlock_acquire(monitor.rlock, timeout)
                                 : ftt_lock_acquire(monitor.lock, timeout);
}

static PyObject *
condition_acquire(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    ftt_note_use(self);
    if (cast(self)->monitor.lock == NULL) {
        return forward(self, "acquire", args, nargs, names);
    }
    int64_t timeout = -1;
    if ((nargs != 0 || names != NULL) && ftt_parse_acquire(args, nargs, names, &timeout) < 0) {
        return NULL;
    }
    ftt_outcome outcome = acquire_native(cast(self)->monitor, timeout);
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

static PyObject *
condition_release(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (cast(self)->monitor.lock == NULL) {
        return forward(self, "release", NULL, 0, NULL);
    }
    return release_native(cast(self)->monitor);
}

static PyObject *
condition_locked(PyObject *self, PyObject *Py_UNUSED(ignored))
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

static PyObject *
condition_enter(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ftt_note_use(self);
    if (cast(self)->monitor.lock == NULL) {
        return forward(self, one_of(cast(self)->lock, "__enter__", "acquire"), NULL, 0, NULL);
    }
    if (acquire_native(cast(self)->monitor, -1) == FTT_FAILED) {
        return NULL;
    }
    Py_RETURN_TRUE;
}

static PyObject *
condition_exit(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (cast(self)->monitor.lock == NULL) {
        const char *name = one_of(cast(self)->lock, "__exit__", "release");
        return forward(self, name, args, name[0] == '_' ? nargs : 0, NULL);
    }
    return release_native(cast(self)->monitor);
}

static PyObject *
condition_at_fork_reinit(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *done = forward(self, "_at_fork_reinit", NULL, 0, NULL);
    if (done != NULL) {
        ftt_condition_reinit(&cast(self)->condition);
    }
    return done;
}

static PyObject *
get_lock(PyObject *self, void *Py_UNUSED(closure))
{
    return Py_XNewRef(lock_of(self));
}

static PyObject *
get_waiters(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *none = Py_BuildValue("(O)", Py_None);
    if (none == NULL) {
        return NULL;
    }
    PyObject *result = PySequence_Repeat(none, ftt_condition_waiters(&cast(self)->condition));
    Py_DECREF(none);
    return result;
}

PyDoc_STRVAR(wait_doc,
             "wait($self, /, timeout=None)\n--\n\n"
             "Release the lock, wait for a notification, and take the lock again; True if there\n"
             "was one, False if the timeout passed.\n\n"
             "timeout is in seconds, rounded up to nanoseconds on the monotonic clock, and limits\n"
             "the wait for the notification, not for the lock; None waits without limit.  Raises\n"
             "RuntimeError if the lock is not held, OverflowError above threading.TIMEOUT_MAX,\n"
             "PythonFinalizationError while the interpreter is finalizing.  However it ends, the\n"
             "lock is held again, as often as before.  In the main thread signal handlers run\n"
             "meanwhile; if one raises, a notification that had come is passed on.");
PyDoc_STRVAR(wait_for_doc,
             "wait_for($self, /, predicate, timeout=None)\n--\n\n"
             "wait() until predicate() is true, for timeout seconds at most in all; returns its\n"
             "last result.");
PyDoc_STRVAR(notify_doc,
             "notify($self, /, n=1)\n--\n\n"
             "Let the n threads that have waited longest go on, or all if they are fewer; each\n"
             "first gets the lock.  Only threads that still wait count: none that has timed out.\n"
             "Never waits, so a signal handler that interrupted wait() may call it, once it has\n"
             "the lock.  Raises RuntimeError if the lock is not held.");
PyDoc_STRVAR(notify_all_doc,
             "notify_all($self, /)\n--\n\n"
             "notify() as many threads as wait.");
PyDoc_STRVAR(notify_all_renamed_doc,
             "notifyAll($self, /)\n--\n\n"
             "The old name of notify_all(); warns of its deprecation.");
PyDoc_STRVAR(acquire_doc,
             "acquire($self, /, blocking=True, timeout=-1)\n--\n\n"
             "The lock's acquire().");
PyDoc_STRVAR(release_doc, "release($self, /)\n--\n\nThe lock's release().");
PyDoc_STRVAR(locked_doc, "locked($self, /)\n--\n\nThe lock's locked().");
PyDoc_STRVAR(enter_doc, "__enter__($self, /)\n--\n\nThe lock's __enter__().");
PyDoc_STRVAR(exit_doc, "__exit__($self, /, *args)\n--\n\nThe lock's __exit__().");
PyDoc_STRVAR(release_save_doc,
             "_release_save($self, /)\n--\n\n"
             "The lock's _release_save(), or release() if it has none.");
PyDoc_STRVAR(acquire_restore_doc,
             "_acquire_restore($self, x, /)\n--\n\n"
             "The lock's _acquire_restore(), or acquire() if it has none.");
PyDoc_STRVAR(is_owned_doc,
             "_is_owned($self, /)\n--\n\n"
             "The lock's _is_owned(), or whether anybody holds it if it has none.");
PyDoc_STRVAR(reinit_doc,
             "_at_fork_reinit($self, /)\n--\n\n"
             "Make the lock free and forget the waiters, in the child of a fork.");

static PyMethodDef condition_methods[] = {
    {"acquire", FTT_FASTCALL(condition_acquire), METH_FASTCALL | METH_KEYWORDS, acquire_doc},
    {"release", condition_release, METH_NOARGS, release_doc},
    {"locked", condition_locked, METH_NOARGS, locked_doc},
    {"wait", FTT_FASTCALL(condition_wait), METH_FASTCALL | METH_KEYWORDS, wait_doc},
    {"wait_for", FTT_FASTCALL(condition_wait_for), METH_FASTCALL | METH_KEYWORDS, wait_for_doc},
    {"notify", FTT_FASTCALL(condition_notify), METH_FASTCALL | METH_KEYWORDS, notify_doc},
    {"notify_all", condition_notify_all, METH_NOARGS, notify_all_doc},
    {"notifyAll", condition_notify_all_renamed, METH_NOARGS, notify_all_renamed_doc},
    {"__enter__", condition_enter, METH_NOARGS, enter_doc},
    {"__exit__", FTT_FASTCALL(condition_exit), METH_FASTCALL, exit_doc},
    {"_release_save", condition_release_save, METH_NOARGS, release_save_doc},
    {"_acquire_restore", condition_acquire_restore, METH_O, acquire_restore_doc},
    {"_is_owned", condition_is_owned, METH_NOARGS, is_owned_doc},
    {"_at_fork_reinit", condition_at_fork_reinit, METH_NOARGS, reinit_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef condition_getset[] = {
    FTT_DICT_GETSET,
    {"_lock", get_lock, NULL, "The lock.", NULL},
    {"_waiters", get_waiters, NULL, "As long as there are threads that wait.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(condition_doc,
             "Condition(lock=None)\n--\n\n"
             "Lets threads that hold a lock wait until another one notifies them.\n\n"
             "lock is a Lock, an RLock, or any object with acquire and release; None makes an\n"
             "RLock.");

static PyType_Slot condition_slots[] = {
    {Py_tp_doc, (void *)condition_doc},
    {Py_tp_new, condition_new},
    {Py_tp_init, condition_init},
    {Py_tp_dealloc, condition_dealloc},
    {Py_tp_traverse, condition_traverse},
    {Py_tp_clear, condition_clear},
    {Py_tp_repr, condition_repr},
    {Py_tp_methods, condition_methods},
    {Py_tp_getset, condition_getset},
    {0, NULL},
};

PyType_Spec ftt_condition_spec = {
    .name = "ftthreading.Condition",
    .basicsize = sizeof(condition_object),
    .flags = FTT_CLASS_FLAGS,
    .slots = condition_slots,
};
