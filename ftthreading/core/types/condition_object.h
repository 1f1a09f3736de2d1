/* What the files of the Python type Condition share.

   condition_type.c     the life of its objects, and the table of its methods
   condition_wait.c     wait, notify
   condition_lock.c     acquire, release and the others that are the lock's own
   condition_foreign.c  any object with acquire and release as the lock

   The lock decides the way.  A Lock or RLock of ours, and of exactly that type, is released
   and taken back in C (native).  Any other object with acquire and release, a subclass of
   RLock included, is foreign: it is asked through its methods; so is a Lock of ours by a
   subclass of Condition that overrides how a lock is released, and either by a condition that
   has been given methods of its own for that. */

#ifndef FTT_CONDITION_OBJECT_H
#define FTT_CONDITION_OBJECT_H

#include "primitives/condition.h"
#include "python/object.h"

typedef struct {
    PyObject_HEAD
    ftt_condition condition;
    ftt_monitor monitor; /* of a native lock */
    PyObject *lock;      /* NULL before __init__ */
    _Atomic bool own_ways; /* the instance has had a _release_save, say, of its own */
} condition_object;

static inline condition_object *
cast(PyObject *self)
{
    return (condition_object *)self;
}

/* The lock, borrowed; NULL with an exception set before __init__. */
static inline PyObject *
lock_of(PyObject *self)
{
    PyObject *lock = cast(self)->lock;
    if (lock == NULL) {
        ftt_not_initialised(self);
    }
    return lock;
}

/* condition_type.c */

void ftt_condition_dealloc(PyObject *self);

/* condition_foreign.c: for a lock that is not native. */

/* Whether the lock is held by this thread, as far as it can be known: 1, 0, or -1 with an
   exception set. */
int ftt_foreign_is_owned(PyObject *self);

/* wait(), once that is known; `timeout` and result as for ftt_condition_wait(). */
ftt_outcome ftt_foreign_wait(PyObject *self, int64_t timeout);

/* How wait() and notify() go about the lock: without one, it is foreign. */
static inline ftt_monitor
ftt_condition_monitor(PyObject *self)
{
    return cast(self)->own_ways ? (ftt_monitor){NULL, NULL} : cast(self)->monitor;
}

static inline bool
ftt_native_is_owned(ftt_monitor monitor)
{
    return monitor.rlock != NULL ? ftt_rlock_is_owned(monitor.rlock)
                                 : ftt_lock_locked(monitor.lock);
}

/* condition_lock.c: -1 with an exception set, as the lock's own release(). */
int ftt_native_release(ftt_monitor monitor);

/* The methods, by their names in Python. */

PyObject *ftt_condition_release_save_method(PyObject *self, PyObject *ignored);
PyObject *ftt_condition_acquire_restore_method(PyObject *self, PyObject *saved);
PyObject *ftt_condition_is_owned_method(PyObject *self, PyObject *ignored);

/* condition_wait.c */

/* NULL for what is not given. */
PyObject *ftt_condition_wait_method(PyObject *self, PyObject *seconds);
PyObject *ftt_condition_notify_method(PyObject *self, PyObject *number);
PyObject *ftt_condition_notify_all_method(PyObject *self, PyObject *ignored);

/* condition_lock.c */

PyObject *ftt_condition_acquire_method(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                       PyObject *names);
PyObject *ftt_condition_release_method(PyObject *self, PyObject *ignored);
PyObject *ftt_condition_locked_method(PyObject *self, PyObject *ignored);
PyObject *ftt_condition_enter_method(PyObject *self, PyObject *ignored);
PyObject *ftt_condition_exit_method(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *ftt_condition_at_fork_reinit_method(PyObject *self, PyObject *ignored);

#endif
