/* RLock: a Lock, the number of the thread that owns it, and how often.

   field   written by                   read by
   lock    as lock.c says               as lock.c says
   owner   the owner, after it took     everybody; only "is it me?" is ever decided on it (see
           the lock and before it       below)
           releases it
   count   the owner only               the owner; others for repr(), as a snapshot
   ident   the owner, with `owner`      repr() and _release_save(), as a snapshot

   A hand-over passes the lock with owner already 0: release clears it before it gives the
   lock to anybody.

   Orders: as for the lock, by which everything is published.  `owner` needs none on any
   processor.  A thread's number is written by that thread only, and never used again.  If the
   thread owns the RLock, its number is its own last write to `owner`, and nobody writes there
   before it releases; if it does not, its own last write was 0, and neither an older one of its
   own nor its number from anybody else can be read after that. */

#ifndef FTT_RLOCK_H
#define FTT_RLOCK_H

#include "lock.h"

typedef struct {
    ftt_lock lock;
    _Atomic uint64_t owner; /* ftt_thread_id(), 0 for none */
    _Atomic unsigned long count;
    _Atomic unsigned long ident; /* the owner's threading.get_ident() */
} ftt_rlock;

static inline bool
ftt_rlock_is_owned(const ftt_rlock *rlock)
{
    uint64_t me = ftt_thread_id();
    return atomic_load_explicit(&rlock->owner, memory_order_relaxed) == me;
}

static inline unsigned long
ftt_rlock_count(const ftt_rlock *rlock)
{
    return atomic_load_explicit(&rlock->count, memory_order_relaxed);
}

static inline void
ftt_rlock_set_count(ftt_rlock *rlock, unsigned long count)
{
    atomic_store_explicit(&rlock->count, count, memory_order_relaxed);
}

/* The caller has just taken rlock->lock. */
static inline void
ftt_rlock_own(ftt_rlock *rlock, unsigned long count)
{
    atomic_store_explicit(&rlock->owner, ftt_thread_id(), memory_order_relaxed);
    atomic_store_explicit(&rlock->ident, ftt_this_thread.ident, memory_order_relaxed);
    ftt_rlock_set_count(rlock, count);
}

/* The caller owns it; afterwards nobody or a waiter does. */
static inline void
ftt_rlock_disown(ftt_rlock *rlock)
{
    ftt_rlock_set_count(rlock, 0);
    atomic_store_explicit(&rlock->owner, 0, memory_order_relaxed);
    ftt_lock_release(&rlock->lock);
}

/* The two parts of acquiring, as those of a Lock.  The caller has checked that count can grow. */
static inline ftt_outcome
ftt_rlock_acquire_awake(ftt_rlock *rlock, int64_t *timeout)
{
    if (ftt_rlock_is_owned(rlock)) {
        ftt_rlock_set_count(rlock, ftt_rlock_count(rlock) + 1);
        return FTT_ACQUIRED;
    }
    ftt_outcome outcome = ftt_lock_acquire_awake(&rlock->lock, timeout);
    if (outcome == FTT_ACQUIRED) {
        ftt_rlock_own(rlock, 1);
    }
    return outcome;
}

/* A signal handler that runs meanwhile may take the RLock for this very thread, and keep it:
   then the caller has it too, once more. */
ftt_outcome ftt_rlock_acquire_asleep(ftt_rlock *rlock, int64_t timeout);

static inline ftt_outcome
ftt_rlock_acquire(ftt_rlock *rlock, int64_t timeout)
{
    ftt_outcome outcome = ftt_rlock_acquire_awake(rlock, &timeout);
    return outcome == FTT_MUST_WAIT ? ftt_rlock_acquire_asleep(rlock, timeout) : outcome;
}

/* False if the caller does not own it. */
static inline bool
ftt_rlock_release(ftt_rlock *rlock)
{
    if (!ftt_rlock_is_owned(rlock)) {
        return false;
    }
    unsigned long count = ftt_rlock_count(rlock);
    if (count > 1) {
        ftt_rlock_set_count(rlock, count - 1);
    }
    else {
        ftt_rlock_disown(rlock);
    }
    return true;
}

static inline void
ftt_rlock_reinit(ftt_rlock *rlock)
{
    ftt_lock_reinit(&rlock->lock);
    atomic_store_explicit(&rlock->owner, 0, memory_order_relaxed);
    ftt_rlock_set_count(rlock, 0);
}

#endif
