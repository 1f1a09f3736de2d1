/* The buckets of the parking table (see table.h).

   Nothing under a bucket lock calls Python, allocates, or sleeps on anything but the raw
   lock itself.  A thread that holds one may be pre-empted but never detached. */

#include <pthread.h>

#include "park.h"
#include "table.h"

#define BUCKET_BITS 8
#define BUCKETS (1 << BUCKET_BITS)

static ftt_bucket table[BUCKETS];

static ftt_bucket *
bucket_of(const void *key)
{
    /* Fibonacci hashing: the high bits of the product depend on all bits of the address. */
    uint64_t product = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    return &table[product >> (64 - BUCKET_BITS)];
}

ftt_bucket *
ftt_bucket_lock(const void *key)
{
    ftt_bucket *bucket = bucket_of(key);
    ftt_raw_acquire(&bucket->lock);
    return bucket;
}

void
ftt_bucket_unlock(ftt_bucket *bucket)
{
    ftt_raw_release(&bucket->lock);
}

ftt_waiter *
ftt_first_from(ftt_waiter *waiter, const void *key)
{
    while (waiter != NULL && ftt_key_of(waiter) != key) {
        waiter = waiter->next;
    }
    return waiter;
}

void
ftt_link(ftt_bucket *bucket, ftt_waiter *waiter, const void *key, bool by_age)
{
    ftt_waiter *next = by_age ? ftt_first_from(bucket->head, key) : NULL;
    while (next != NULL && next->since <= waiter->since) {
        next = ftt_first_from(next->next, key);
    }
    atomic_store_explicit(&waiter->key, key, memory_order_relaxed);
    waiter->previous = next != NULL ? next->previous : bucket->tail;
    waiter->next = next;
    *(waiter->previous != NULL ? &waiter->previous->next : &bucket->head) = waiter;
    *(next != NULL ? &next->previous : &bucket->tail) = waiter;
}

void
ftt_unlink(ftt_bucket *bucket, ftt_waiter *waiter)
{
    *(waiter->previous != NULL ? &waiter->previous->next : &bucket->head) = waiter->next;
    *(waiter->next != NULL ? &waiter->next->previous : &bucket->tail) = waiter->previous;
    atomic_store_explicit(&waiter->key, NULL, memory_order_relaxed);
}

/* A wait of the forking thread goes on in the child when its signal handler returns. */
static void
keep_place(ftt_waiter *waiter)
{
    const void *key = ftt_key_of(waiter);
    if (key != NULL) {
        ftt_link(bucket_of(key), waiter, key, true);
    }
}

static void
forked(void)
{
    /* A thread that is gone may have held any lock and left any queue half linked. */
    for (int i = 0; i < BUCKETS; i++) {
        ftt_raw_reinit(&table[i].lock);
        table[i].head = table[i].tail = NULL;
    }
    ftt_thread_after_fork(keep_place);
    ftt_blocking_after_fork();
}

static int init_error;

static void
init(void)
{
    for (int i = 0; i < BUCKETS; i++) {
        ftt_raw_reinit(&table[i].lock);
    }
    /* Not os.register_at_fork(): the interpreter runs destructors of dead threads' objects
       in the child before any hook written in Python, and those may use our locks. */
    init_error = pthread_atfork(NULL, NULL, forked);
}

int
ftt_park_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init);
    return init_error;
}
