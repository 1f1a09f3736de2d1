/* Waking in the parking table (see park.h; waiting is in park.c).

   Waiters are taken off their queue and given their tokens under the bucket lock, and
   posted after it: the lock is held shorter, and a waiter that runs at once does not run
   into it.  Between the two they are chained through `next`, which is theirs again from
   the post on. */

#include "park.h"
#include "table.h"

static void
post(ftt_waiter *waiter)
{
    if (ftt_sleeper_post(&waiter->sleeper)) {
        atomic_store_explicit(&waiter->posted, ftt_now(), memory_order_relaxed);
        ftt_sleeper_wake(&waiter->sleeper);
    }
}

void
ftt_unpark_one(const void *key, ftt_choose choose, void *argument)
{
    ftt_bucket *bucket = ftt_bucket_lock(key);
    ftt_waiter *oldest = ftt_first_from(bucket->head, key);
    bool more = oldest != NULL && ftt_first_from(oldest->next, key) != NULL;
    uint32_t token = choose(argument, oldest, more);
    if (token != 0) {
        oldest->token = token;
        ftt_unlink(bucket, oldest);
    }
    ftt_bucket_unlock(bucket);
    if (token != 0) {
        post(oldest);
    }
}

void
ftt_unpark_filter(const ftt_filter *filter)
{
    ftt_waiter *chosen = NULL, **last = &chosen;
    uint32_t left = 0;
    bool stopped = false;
    ftt_bucket *bucket = ftt_bucket_lock(filter->key);
    if (filter->start != NULL && !filter->start(filter->argument)) {
        ftt_bucket_unlock(bucket);
        return;
    }
    ftt_waiter *waiter = ftt_first_from(bucket->head, filter->key);
    while (waiter != NULL) {
        ftt_waiter *next = ftt_first_from(waiter->next, filter->key);
        uint32_t token = stopped ? FTT_STAY : filter->filter(filter->argument, waiter);
        if (token == FTT_STAY || token == FTT_STOP) {
            stopped = stopped || token == FTT_STOP;
            left++;
        }
        else {
            ftt_unlink(bucket, waiter);
            waiter->token = token;
            waiter->next = NULL;
            *last = waiter;
            last = &waiter->next;
        }
        waiter = next;
    }
    if (filter->finish != NULL) {
        filter->finish(filter->argument, left);
    }
    ftt_bucket_unlock(bucket);
    while (chosen != NULL) {
        ftt_waiter *next = chosen->next;
        post(chosen);
        chosen = next;
    }
}

void
ftt_park_locked(const void *key, void (*run)(void *argument), void *argument)
{
    ftt_bucket *bucket = ftt_bucket_lock(key);
    run(argument);
    ftt_bucket_unlock(bucket);
}
