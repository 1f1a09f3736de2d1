/* Threads' numbers and waiters (see thread.h).

   Each thread keeps the waiters it has used; when it ends they go to a common list, from
   which new threads take first.  `ftt_waiters` links every waiter there is and only grows, so
   the child of a fork, where the common list may have been caught half changed, builds that
   list anew from it.  Another process may read it, and the list of threads, at any time
   (inspection/offsets.c). */

#include <pthread.h>
#include <stdlib.h>

#include "thread.h"

_Thread_local ftt_thread ftt_this_thread FTT_TLS_MODEL;

uint32_t ftt_forks;

static _Atomic uint64_t last_id;
_Atomic(ftt_waiter *) ftt_waiters;

static ftt_raw_lock spare_lock = FTT_RAW_LOCK_INIT;
static ftt_waiter *spare; /* guarded by spare_lock */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;
static bool has_key;

/* Guarded by spare_lock. */
ftt_thread *ftt_threads;
static uint64_t alive;
static uint64_t begun; /* when threads have begun, less when they have ended, summed up modulo 2^64 */

static void
list(void)
{
    ftt_this_thread.previous = NULL;
    ftt_this_thread.next = ftt_threads;
    if (ftt_threads != NULL) {
        ftt_threads->previous = &ftt_this_thread;
    }
    ftt_threads = &ftt_this_thread;
    begun += (uint64_t)ftt_now();
    alive++;
}

static void
unlist(void)
{
    if (ftt_this_thread.previous != NULL) {
        ftt_this_thread.previous->next = ftt_this_thread.next;
    }
    else if (ftt_threads == &ftt_this_thread) {
        ftt_threads = ftt_this_thread.next;
    }
    if (ftt_this_thread.next != NULL) {
        ftt_this_thread.next->previous = ftt_this_thread.previous;
    }
    ftt_this_thread.previous = ftt_this_thread.next = NULL;
    begun -= (uint64_t)ftt_now();
    alive--;
}

static void
thread_exits(void *ignored)
{
    (void)ignored;
    ftt_raw_acquire(&spare_lock);
    unlist();
    while (ftt_this_thread.spare != NULL) {
        ftt_waiter *waiter = ftt_this_thread.spare;
        ftt_this_thread.spare = waiter->next_spare;
        waiter->owner = 0;
        waiter->next_spare = spare;
        spare = waiter;
    }
    ftt_raw_release(&spare_lock);
}

static void
make_key(void)
{
    /* Without a key, and the number that `at_exit` has then is another's, the waiters of ended
       threads are lost, and no thread is listed; nothing worse. */
    has_key = pthread_key_create(&at_exit, thread_exits) == 0;
}

void
ftt_thread_register(void)
{
    ftt_this_thread.ident = (unsigned long)pthread_self();
    ftt_this_thread.native_id = ftt_native_id();
    ftt_this_thread.id = 1 + atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed);
    pthread_once(&once, make_key);
    if (has_key && pthread_setspecific(at_exit, &ftt_this_thread) == 0) {
        ftt_raw_acquire(&spare_lock);
        list();
        ftt_raw_release(&spare_lock);
    }
}

void
ftt_thread_each(void (*visit)(void *argument, const ftt_thread *thread), void *argument)
{
    ftt_raw_acquire(&spare_lock);
    for (ftt_thread *thread = ftt_threads; thread != NULL; thread = thread->next) {
        visit(argument, thread);
    }
    ftt_raw_release(&spare_lock);
}

ftt_time
ftt_threads_time(void)
{
    ftt_raw_acquire(&spare_lock);
    ftt_time time = (ftt_time)(alive * (uint64_t)ftt_now() - begun);
    ftt_raw_release(&spare_lock);
    return time;
}

ftt_waiter *
ftt_waiter_first(void)
{
    return atomic_load_explicit(&ftt_waiters, memory_order_acquire);
}

static ftt_waiter *
make(void)
{
    ftt_waiter *waiter = calloc(1, sizeof(*waiter));
    if (waiter == NULL || !ftt_sleeper_init(&waiter->sleeper)) {
        free(waiter);
        return NULL;
    }
    waiter->next_made = atomic_load_explicit(&ftt_waiters, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&ftt_waiters, &waiter->next_made, waiter,
                                                  memory_order_release,
                                                  memory_order_relaxed)) {
    }
    return waiter;
}

ftt_waiter *
ftt_waiter_take(void)
{
    ftt_waiter *waiter = ftt_this_thread.spare;
    if (waiter != NULL) {
        ftt_this_thread.spare = waiter->next_spare;
        return waiter;
    }
    uint64_t owner = ftt_thread_id();
    ftt_raw_acquire(&spare_lock);
    waiter = spare;
    if (waiter != NULL) {
        spare = waiter->next_spare;
    }
    ftt_raw_release(&spare_lock);
    if (waiter == NULL) {
        waiter = make();
    }
    if (waiter != NULL) {
        waiter->owner = owner;
    }
    return waiter;
}

void
ftt_waiter_give_back(ftt_waiter *waiter)
{
    waiter->next_spare = ftt_this_thread.spare;
    ftt_this_thread.spare = waiter;
}

bool
ftt_waiter_throw(ftt_waiter *waiter, void *exception)
{
    void *none = NULL;
    if (!atomic_compare_exchange_strong_explicit(&waiter->call.thrown, &none, exception,
                                                 memory_order_release, memory_order_relaxed)) {
        return false;
    }
    if (ftt_sleeper_interrupt(&waiter->sleeper)) {
        return true;
    }
    /* Something else may have had it look meanwhile, and raise it. */
    void *left = exception;
    return !atomic_compare_exchange_strong_explicit(&waiter->call.thrown, &left, NULL,
                                                    memory_order_relaxed, memory_order_relaxed);
}

static void
take_back_claims(ftt_waiter *waiter)
{
    ftt_word *claim = atomic_load_explicit(&waiter->claim, memory_order_relaxed);
    if (claim != NULL) {
        atomic_fetch_and_explicit(claim, ~FTT_CLAIM_BIT, memory_order_relaxed);
    }
    ftt_long *long_claim = atomic_load_explicit(&waiter->long_claim, memory_order_relaxed);
    if (long_claim != NULL) {
        atomic_fetch_and_explicit(long_claim, ~(int64_t)FTT_CLAIM_BIT, memory_order_relaxed);
    }
    ftt_waiter_disclaim(waiter);
}

void
ftt_thread_after_fork(void (*keep)(ftt_waiter *))
{
    ftt_forks++;
    ftt_this_thread.native_id = ftt_native_id(); /* the one answer that changes */
    ftt_raw_reinit(&spare_lock);
    spare = NULL;
    ftt_threads = NULL;
    begun = 0;
    alive = 0;
    if (has_key && ftt_this_thread.id != 0) {
        list();
    }
    for (ftt_waiter *waiter = ftt_waiter_first(); waiter != NULL; waiter = waiter->next_made) {
        bool mine = waiter->owner != 0 && waiter->owner == ftt_this_thread.id;
        ftt_call_after_fork(&waiter->call, mine);
        if (mine) {
            keep(waiter);
            continue;
        }
        take_back_claims(waiter);
        atomic_store_explicit(&waiter->key, NULL, memory_order_relaxed);
        if (ftt_sleeper_init(&waiter->sleeper)) {
            waiter->owner = 0;
            waiter->next_spare = spare;
            spare = waiter;
        }
    }
}
