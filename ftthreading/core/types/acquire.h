/* Acquiring a lock for a method of a type. */

#ifndef FTT_ACQUIRE_H
#define FTT_ACQUIRE_H

#include "types.h"

/* For a lock that was found taken.  `timeout` is not 0. */
ftt_outcome ftt_lock_acquire_taken(PyObject *keeper, ftt_lock *lock, int64_t timeout);
ftt_outcome ftt_rlock_acquire_taken(PyObject *keeper, ftt_rlock *rlock, int64_t timeout);

/* Acquires a lock for a method of `keeper`, the object that the lock is a part of, or that owns
   it; `with`: for a `with` statement. */
static inline ftt_outcome
ftt_lock_acquire_for(PyObject *keeper, ftt_lock *lock, int64_t timeout, bool with)
{
    ftt_outcome outcome = ftt_lock_try(lock) ? FTT_ACQUIRED
                          : timeout == 0     ? FTT_TIMED_OUT
                                             : ftt_lock_acquire_taken(keeper, lock, timeout);
    if (outcome == FTT_ACQUIRED) {
        ftt_lock_note(lock, with);
    }
    return outcome;
}

static inline ftt_outcome
ftt_rlock_acquire_for(PyObject *keeper, ftt_rlock *rlock, int64_t timeout)
{
    if (ftt_rlock_is_owned(rlock)) {
        ftt_rlock_set_count(rlock, ftt_rlock_count(rlock) + 1);
        return FTT_ACQUIRED;
    }
    if (ftt_lock_try(&rlock->lock)) {
        ftt_rlock_own(rlock, 1);
        return FTT_ACQUIRED;
    }
    return timeout == 0 ? FTT_TIMED_OUT : ftt_rlock_acquire_taken(keeper, rlock, timeout);
}

#endif
