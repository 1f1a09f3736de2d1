/* Lock: the state word and its fast paths (the slow ones and the reasons are in lock.c). */

#ifndef FTT_LOCK_H
#define FTT_LOCK_H

#include "parking/park.h"

enum {
    FTT_LOCKED = 1u,
    FTT_AWAKE = FTT_CLAIM_BIT,
    FTT_PARKED = 4u,
};

typedef struct {
    ftt_word word;
    ftt_word holder;       /* who has taken it last (ftt_lock_note); means nothing to the lock */
    uint16_t last_handoff; /* ftt_handoff_stamp(); bucket lock */
    ftt_pace pace;
} ftt_lock;

/* What a releasing thread tells the waiter it takes off the queue. */
enum {
    FTT_TOKEN_WAKE = 1,    /* the lock is or was free, and AWAKE is set for you: contend */
    FTT_TOKEN_HANDOFF = 2  /* the lock is yours */
};

/* One step; never waits, and never fails on a lock that was free throughout. */
static inline bool
ftt_lock_try(ftt_lock *lock)
{
    uint32_t seen = 0;
    if (ftt_cas(&lock->word, &seen, FTT_LOCKED, memory_order_acquire)) {
        return true;
    }
    while ((seen & FTT_LOCKED) == 0) {
        if (ftt_cas(&lock->word, &seen, seen | FTT_LOCKED, memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

static inline bool
ftt_lock_locked(const ftt_lock *lock)
{
    return (atomic_load_explicit(&lock->word, memory_order_acquire) & FTT_LOCKED) != 0;
}

/* For a lock found taken: stays awake for a while, and tries again.  Takes the time from a
   timeout.  In backoff.c. */
bool ftt_lock_back_off(ftt_lock *lock, int64_t *timeout);

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

/* Whether a hand-over is due to one who waits since `since`; at most one a millisecond, of
   which the caller keeps account.  Shared with the semaphores. */
#define FTT_PATIENCE ((ftt_time)1000 * 1000) /* ns */

/* The monotonic clock in steps of 65 us, cut to 16 bits: as it begins anew all 4 s, now and then a
   hand-over that is due waits a millisecond longer. */
static inline uint16_t
ftt_handoff_stamp(ftt_time now)
{
    return (uint16_t)(now >> 16);
}

static inline bool
ftt_handoff_due(uint16_t last_handoff, ftt_time since, ftt_time now)
{
    uint16_t steps = (uint16_t)(ftt_handoff_stamp(now) - last_handoff);
    return now - since >= FTT_PATIENCE && steps > FTT_PATIENCE >> 16 && !ftt_finalizing();
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
