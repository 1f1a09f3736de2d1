/* The buckets of the parking table: queues of waiters by key, each under its lock.  Only
   park.c, unpark.c, profiling.c and inspection/calls.c look in here. */

#ifndef FTT_TABLE_H
#define FTT_TABLE_H

#include "thread.h"

typedef struct {
    _Alignas(64) ftt_raw_lock lock;
    ftt_waiter *head;
    ftt_waiter *tail;
} ftt_bucket;

static inline const void *
ftt_key_of(const ftt_waiter *waiter)
{
    return atomic_load_explicit(&waiter->key, memory_order_relaxed);
}

ftt_bucket *ftt_bucket_lock(const void *key);
void ftt_bucket_unlock(ftt_bucket *bucket);

/* Everything below wants the bucket lock. */

/* The first on `key`, from this waiter on; NULL if there is none. */
ftt_waiter *ftt_first_from(ftt_waiter *waiter, const void *key);

/* Last in line, or with `by_age` before all whose wait began later. */
void ftt_link(ftt_bucket *bucket, ftt_waiter *waiter, const void *key, bool by_age);
void ftt_unlink(ftt_bucket *bucket, ftt_waiter *waiter);

#endif
