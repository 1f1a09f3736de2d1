/* Lock: its fast paths (the slow ones and the reasons are in lock.c). */

#ifndef FTT_LOCK_H
#define FTT_LOCK_H

#include "backoff.h"

/* For a lock that ftt_lock_try() found taken.  FTT_HANDLED after signal handlers ran: the caller
   looks whether the world has changed and calls again with the same wait. */
ftt_outcome ftt_lock_wait(ftt_lock *lock, ftt_wait *wait);

/* Waits until it has the lock, for the end of a wait that should not leave without it.
   Exceptions of signal handlers are set aside; false if the user insists on an end
   (blocking.h).  `owned` is asked after handlers ran, whether one took the lock for this thread
   and kept it; may be NULL. */
bool ftt_lock_reacquire(ftt_lock *lock, ftt_wait *wait,
                        bool (*owned)(const void *), const void *argument, ftt_aside *aside);

/* Acquiring has two parts, as a caller may have to keep an object alive for the second. */

/* What can be done without sleeping.  `timeout` in ns: negative waits forever, 0 tries once;
   becomes what is left of it. */
static inline ftt_outcome
ftt_lock_acquire_awake(ftt_lock *lock, int64_t *timeout)
{
    if (ftt_lock_try(lock)) {
        return FTT_ACQUIRED;
    }
    if (*timeout == 0) {
        return FTT_TIMED_OUT;
    }
    return ftt_lock_back_off(lock, timeout) ? FTT_ACQUIRED : FTT_MUST_WAIT;
}

/* What is to be done on FTT_MUST_WAIT. */
ftt_outcome ftt_lock_acquire_asleep(ftt_lock *lock, int64_t timeout);

/* Both. */
static inline ftt_outcome
ftt_lock_acquire(ftt_lock *lock, int64_t timeout)
{
    ftt_outcome outcome = ftt_lock_acquire_awake(lock, &timeout);
    return outcome == FTT_MUST_WAIT ? ftt_lock_acquire_asleep(lock, timeout) : outcome;
}

/* False if the lock was not locked.  Any thread may release. */
bool ftt_lock_release_slow(ftt_lock *lock);

static inline bool
ftt_lock_release(ftt_lock *lock)
{
    uint32_t seen = FTT_LOCKED;
    if (ftt_cas(&lock->word, &seen, 0, memory_order_release)) {
        return true;
    }
    return ftt_lock_release_slow(lock);
}

/* Who has taken a Lock, for people who look for who keeps it: the thread's number, cut to 31 bits,
   and whether it was by a `with` statement, at whose end it will be released; 0 if it is not known.
   A store after the lock was taken, to a word of which nothing depends.

   Who reads it may see who had it before, for as long as the new holder is kept from the next
   instruction.  Where it would be longer, it is forgotten: by a release that finds waiters, as the
   one to whom it hands the lock does not run yet; and by those who have it before the end of
   their call. */
static inline void
ftt_lock_forget(ftt_lock *lock)
{
    atomic_store_explicit(&lock->holder, 0, memory_order_relaxed);
}

static inline void
ftt_lock_note(ftt_lock *lock, bool with)
{
    uint64_t thread = ftt_this_thread.id;
    if (thread == 0) { /* to get a number takes longer */
        ftt_lock_forget(lock);
        thread = ftt_thread_id();
    }
    atomic_store_explicit(&lock->holder, (uint32_t)thread << 1 | with, memory_order_relaxed);
}

/* In the child of a fork, or before first use. */
static inline void
ftt_lock_reinit(ftt_lock *lock)
{
    atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
}

#endif
