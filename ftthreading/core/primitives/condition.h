/* Condition: the queue of those who wait for a notification (algorithm in condition.c). */

#ifndef FTT_CONDITION_H
#define FTT_CONDITION_H

#include "rlock.h"

typedef struct {
    ftt_word waiters; /* in the queue; changes under the bucket lock */
    ftt_pace pace;
} ftt_condition;

/* What a condition's lock is.  Without `lock` it is some object that only the caller can
   release and acquire. */
typedef struct {
    ftt_lock *lock;
    ftt_rlock *rlock; /* if it is one: `lock` is then its lock */
} ftt_monitor;

static inline uint32_t
ftt_condition_waiters(const ftt_condition *condition)
{
    return atomic_load_explicit(&condition->waiters, memory_order_acquire);
}

uint32_t ftt_condition_notify_slow(ftt_condition *condition, uint64_t count);

/* Notifies the `count` oldest waiters, or all if there are fewer; how many.  Never waits. */
static inline uint32_t
ftt_condition_notify(ftt_condition *condition, uint64_t count)
{
    if (ftt_condition_waiters(condition) == 0) {
        return 0;
    }
    return ftt_condition_notify_slow(condition, count);
}

/* With a lock of ours, which the caller has found taken (an RLock: by itself): gives it up
   however often it was acquired, waits for a notification, and takes it back just so.
   `timeout` in ns: negative waits forever, 0 only gives others a turn.  On FTT_FAILED too the
   lock is held again, or was never released, unless the user insisted on an end (blocking.h).
   FTT_HANDLED: a signal handler has released it, and nothing was waited for. */
ftt_outcome ftt_condition_wait(ftt_condition *condition, ftt_monitor monitor, int64_t timeout);

/* For a lock that only the caller can release: between queue and sleep it does so, and after
   the sleep takes it back.  begin: -1 with an exception set.  Sleep with end(sleep=true), or
   give up with sleep=false after an exception.  The outcome of end() is FTT_FAILED for an
   exception of a signal handler; a notification that came with it is passed on by the
   caller, if *notified, once it has the lock. */
typedef struct {
    ftt_wait wait;
    ftt_condition *condition;
} ftt_condition_turn;

int ftt_condition_begin(ftt_condition_turn *turn, ftt_condition *condition, int64_t timeout);
ftt_outcome ftt_condition_end(ftt_condition_turn *turn, bool sleep, bool *notified);

/* In the child of a fork: nobody waits. */
static inline void
ftt_condition_reinit(ftt_condition *condition)
{
    atomic_store_explicit(&condition->waiters, 0, memory_order_relaxed);
}

#endif
