/* The Python type Condition: the life of its objects and the table of its methods, which are
   in the other files that condition_object.h names. */

#include <stddef.h>

#include "condition_object.h"
#include "python/function.h"
#include "types.h"

static ftt_module_state *
state_of(PyObject *self)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &ftt_module);
    return module == NULL ? NULL : PyModule_GetState(module);
}

static PyObject *
condition_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return type->tp_alloc(type, 0);
}

/* Of whatever the program has put in the place of threading.RLock, if it has; else of ours. */
static PyObject *
default_lock(ftt_module_state *state)
{
    PyObject *maker;
    if (PyDict_GetItemStringRef(PyModule_GetDict(state->threading), "RLock", &maker) < 0) {
        return NULL;
    }
    bool patched = maker != NULL && maker != state->their_rlock;
    PyObject *lock = PyObject_CallNoArgs(patched ? maker : (PyObject *)state->rlock);
    Py_XDECREF(maker);
    return lock;
}

static int
init(PyObject *self, PyObject *lock)
{
    ftt_module_state *state = state_of(self);
    if (state == NULL) {
        return -1;
    }
    if (cast(self)->lock != NULL) {
        /* Another thread may be using the old lock without holding a reference to it. */
        PyErr_SetString(PyExc_RuntimeError, "Condition.__init__() called twice");
        return -1;
    }
    lock = lock == NULL || lock == Py_None ? default_lock(state) : Py_NewRef(lock);
    if (lock == NULL) {
        return -1;
    }
    if (Py_IS_TYPE(lock, state->lock)) {
        /* A subclass may have its own way of releasing the lock, say.  A Lock has none, so in
           threading the condition's counts; an RLock's own comes first. */
        static const char *const ways[] = {"_release_save", "_acquire_restore", "_is_owned", NULL};
        int overridden = ftt_overrides(self, state->condition, ways);
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
condition_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t given = PyTuple_GET_SIZE(args);
    if (given > 1 || kwargs != NULL) {
        return ftt_call_python_init(self, args, kwargs);
    }
    return init(self, given == 0 ? NULL : PyTuple_GET_ITEM(args, 0));
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

void
ftt_condition_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(cast(self)->lock);
    ftt_object_dealloc(self);
}

static int
condition_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    static const char *const ways[] = {"_release_save", "_acquire_restore", "_is_owned"};
    for (int i = 0; i < 3 && PyUnicode_Check(name); i++) {
        if (PyUnicode_EqualToUTF8(name, ways[i])) {
            cast(self)->own_ways = true; /* never back: others may be setting attributes, too */
        }
    }
    return PyObject_GenericSetAttr(self, name, value);
}

/* A condition whose __init__ a subclass has left out may be given a lock and waiters by it: they are
   kept in the instance, and the interpreter's functions find them there (see is_native()). */
static PyObject *
get_given(PyObject *self, const char *name)
{
    PyObject *namespace = PyObject_GenericGetDict(self, NULL);
    PyObject *given = NULL;
    if (namespace != NULL && PyDict_GetItemStringRef(namespace, name, &given) == 0) {
        ftt_not_initialised(self);
    }
    Py_XDECREF(namespace);
    return given;
}

static int
set_given(PyObject *self, const char *name, PyObject *value)
{
    if (value == NULL || cast(self)->lock != NULL) {
        PyErr_Format(PyExc_AttributeError, "attribute '%s' of a Condition is not writable", name);
        return -1;
    }
    PyObject *namespace = PyObject_GenericGetDict(self, NULL);
    int failed = namespace == NULL || PyDict_SetItemString(namespace, name, value) < 0;
    Py_XDECREF(namespace);
    return failed ? -1 : 0;
}

static PyObject *
get_lock(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *lock = cast(self)->lock;
    return lock == NULL ? get_given(self, "_lock") : Py_NewRef(lock);
}

static int
set_lock(PyObject *self, PyObject *lock, void *Py_UNUSED(closure))
{
    return set_given(self, "_lock", lock);
}

static int
set_waiters(PyObject *self, PyObject *waiters, void *Py_UNUSED(closure))
{
    return set_given(self, "_waiters", waiters);
}

static PyObject *
get_waiters(PyObject *self, void *Py_UNUSED(closure))
{
    if (cast(self)->lock == NULL) {
        return get_given(self, "_waiters");
    }
    PyObject *none = Py_BuildValue("(O)", Py_None);
    if (none == NULL) {
        return NULL;
    }
    PyObject *result = PySequence_Repeat(none, ftt_condition_waiters(&cast(self)->condition));
    Py_DECREF(none);
    return result;
}

PyDoc_STRVAR(wait_doc,
             "Release the lock, wait for a notification, and take the lock again; True if there\n"
             "was one, False if the timeout passed.\n\n"
             "timeout is in seconds, rounded up to nanoseconds on the monotonic clock, and limits\n"
             "the wait for the notification, not for the lock; None waits without limit.  Raises\n"
             "RuntimeError if the lock is not held, OverflowError above threading.TIMEOUT_MAX,\n"
             "PythonFinalizationError while the interpreter is finalizing.  In the main thread\n"
             "signal handlers run meanwhile; if one raises, a notification that had come is passed\n"
             "on.  However it ends, the lock is held again, as often as before, with one exception:\n"
             "while the lock is wanted back, exceptions of handlers are set aside, but the second\n"
             "KeyboardInterrupt ends the wait without the lock.  A lock that is not ours and has no\n"
             "_is_owned is asked for once.");
PyDoc_STRVAR(notify_doc,
             "Let the n threads that have waited longest go on, or all if they are fewer; each\n"
             "first gets the lock.  Only threads that still wait count: none that has timed out.\n"
             "Never waits, so a signal handler that interrupted wait() may call it, once it has\n"
             "the lock.  Raises RuntimeError if the lock is not held.");
PyDoc_STRVAR(notify_all_doc,
             "notify() as many threads as wait.");
PyDoc_STRVAR(acquire_doc,
             "acquire($self, /, blocking=True, timeout=-1)\n--\n\n"
             "The lock's acquire().");
PyDoc_STRVAR(release_doc, "release($self, /)\n--\n\nThe lock's release().");
PyDoc_STRVAR(locked_doc, "locked($self, /)\n--\n\nThe lock's locked().");
PyDoc_STRVAR(enter_doc, "The lock's __enter__().");
PyDoc_STRVAR(exit_doc, "The lock's __exit__().");
PyDoc_STRVAR(release_save_doc,
             "The lock's _release_save(), or release() if it has none.");
PyDoc_STRVAR(acquire_restore_doc,
             "The lock's _acquire_restore(), or acquire() if it has none.");
PyDoc_STRVAR(is_owned_doc,
             "The lock's _is_owned(), or whether anybody holds it if it has none.");
PyDoc_STRVAR(reinit_doc,
             "Make the lock free and forget the waiters, in the child of a fork.");

/* acquire, release and locked stand in threading's instances, bound to the lock. */
PyMethodDef ftt_condition_methods[] = {
    {"acquire", FTT_FASTCALL(ftt_condition_acquire_method), METH_FASTCALL | METH_KEYWORDS,
     acquire_doc},
    {"release", ftt_condition_release_method, METH_NOARGS, release_doc},
    {"locked", ftt_condition_locked_method, METH_NOARGS, locked_doc},
    {NULL, NULL, 0, NULL},
};

/* The others are the interpreter's functions (function.h).  They go their own way for a subclass
   that brings a lock and waiters of its own, and leaves __init__ out. */

static bool
is_native(PyObject *const *args, size_t nargsf, PyObject *names, Py_ssize_t most)
{
    return ftt_is_call(args, nargsf, names, 1, most, ftt_condition_dealloc) &&
           cast(args[0])->lock != NULL;
}

#define SIMPLE(name)                                                                              \
    static PyObject *call_##name(FTT_CALL)                                                        \
    {                                                                                             \
        return is_native(args, nargsf, names, 1)                                                  \
                   ? ftt_condition_##name##_method(args[0], NULL)                                 \
                   : ftt_call_python(function, args, nargsf, names);                              \
    }

SIMPLE(enter)
SIMPLE(release_save)
SIMPLE(is_owned)
SIMPLE(at_fork_reinit)

static PyObject *
call_exit(FTT_CALL)
{
    if (!is_native(args, nargsf, names, 4)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    return ftt_condition_exit_method(args[0], args + 1, PyVectorcall_NARGS(nargsf) - 1);
}

static PyObject *
call_acquire_restore(FTT_CALL)
{
    if (!is_native(args, nargsf, names, 2) || PyVectorcall_NARGS(nargsf) != 2) {
        return ftt_call_python(function, args, nargsf, names);
    }
    return ftt_condition_acquire_restore_method(args[0], args[1]);
}

static PyObject *
call_wait(FTT_CALL)
{
    static const char *const keywords[] = {"timeout"};
    PyObject *seconds;
    if (!ftt_is_call_with(function, args, nargsf, names, ftt_condition_dealloc, keywords, 1,
                          &seconds) ||
        cast(args[0])->lock == NULL) {
        return ftt_call_python(function, args, nargsf, names);
    }
    return ftt_condition_wait_method(args[0], seconds);
}

static PyObject *
call_notify(FTT_CALL)
{
    static const char *const keywords[] = {"n"};
    PyObject *number;
    if (!ftt_is_call_with(function, args, nargsf, names, ftt_condition_dealloc, keywords, 1,
                          &number) ||
        cast(args[0])->lock == NULL) {
        return ftt_call_python(function, args, nargsf, names);
    }
    return ftt_condition_notify_method(args[0], number);
}

/* notify(), whichever the condition has. */
static PyObject *
call_notify_all(FTT_CALL)
{
    if (!is_native(args, nargsf, names, 1) ||
        !ftt_is_not_overridden(args[0], ftt_condition_dealloc, "notify", call_notify)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    return ftt_condition_notify_all_method(args[0], NULL);
}

static PyObject *
call_init(FTT_CALL)
{
    static const char *const keywords[] = {"lock"};
    PyObject *lock;
    if (!ftt_is_call_with(function, args, nargsf, names, ftt_condition_dealloc, keywords, 1,
                          &lock)) {
        return ftt_call_python(function, args, nargsf, names);
    }
    return init(args[0], lock) < 0 ? NULL : Py_NewRef(Py_None);
}

const ftt_function ftt_condition_functions[] = {
    {"__init__", call_init, NULL},
    {"__enter__", call_enter, enter_doc},
    {"__exit__", call_exit, exit_doc},
    {"wait", call_wait, wait_doc},
    {"notify", call_notify, notify_doc},
    {"notify_all", call_notify_all, notify_all_doc},
    {"_release_save", call_release_save, release_save_doc},
    {"_acquire_restore", call_acquire_restore, acquire_restore_doc},
    {"_is_owned", call_is_owned, is_owned_doc},
    {"_at_fork_reinit", call_at_fork_reinit, reinit_doc},
    {NULL, NULL, NULL},
};

static PyGetSetDef condition_getset[] = {
    FTT_DICT_GETSET,
    {"_lock", get_lock, set_lock, "The lock.", NULL},
    {"_waiters", get_waiters, set_waiters, "As long as there are threads that wait.", NULL},
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
    {Py_tp_dealloc, ftt_condition_dealloc},
    {Py_tp_traverse, condition_traverse},
    {Py_tp_clear, condition_clear},
    {Py_tp_setattro, condition_setattro},
    {Py_tp_methods, ftt_condition_methods},
    {Py_tp_getset, condition_getset},
    {0, NULL},
};

PyType_Spec ftt_condition_spec = {
    .name = "ftthreading.Condition",
    .basicsize = sizeof(condition_object),
    .flags = FTT_CLASS_FLAGS,
    .slots = condition_slots,
};
