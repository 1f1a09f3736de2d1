/* What the contention profile asks of the waiting itself: whether it is on, and whom to blame.

   Only slow paths ask: a lock was found taken, or its release takes somebody off the queue.

   Who is to blame for a wait in a queue is known when it ends: the release that wakes one of the
   waiters has kept them all, since the last such release, or since each began to wait.  So each
   release is charged with that time of all of them, and no time is charged twice.  (Go's mutex
   profile does the same.)  A wait that ends while the waiter is awake, and the rest of one that was
   woken and has to contend, are charged to nobody: a release does not look at those who are not in
   the queue. */

#ifndef FTT_PROFILING_H
#define FTT_PROFILING_H

#include "thread.h"

/* The interpreter whose threads' waits are recorded; NULL while nobody's are. */
extern _Atomic(void *) ftt_profiling;

static inline bool
ftt_profiles(void)
{
    return atomic_load_explicit(&ftt_profiling, memory_order_relaxed) != NULL;
}

typedef struct {
    ftt_time waited; /* by all in the queue together */
    ftt_time held;   /* by the oldest of them */
} ftt_blame;

/* Under the bucket lock: what a release is charged with that wakes `oldest`. */
ftt_blame ftt_charge(ftt_waiter *oldest, const void *key, ftt_time now);

/* A part of blocking.h's interface: the calling thread is charged, having released what `key`
   stands for. */
void ftt_blame_me(const void *key, ftt_blame blame);

/* Also a part of that interface: in the child of a fork, nothing is profiled. */
void ftt_profiling_after_fork(void);

#endif
