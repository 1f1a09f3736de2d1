/* Scenarios for the parking table itself: tokens are neither lost nor doubled, the oldest
   waiter is chosen first, and keys that share a bucket do not disturb each other. */

#include <stddef.h>

#include "primitives/condition.h"
#include "primitives/event.h"
#include "harness.h"
#include "primitives/semaphore.h"

#define KEYS 4

static const options *with;
static ftt_pace memory;

/* A counter of permits for each key, far more keys than buckets would keep apart. */
static struct {
    ftt_word permits;
    ftt_word waiting;
} keys[KEYS];

static _Atomic long given_out, taken;

static bool
no_permit(void *argument)
{
    int k = *(int *)argument;
    uint32_t seen = ftt_load(&keys[k].permits);
    while (seen > 0) {
        if (ftt_cas(&keys[k].permits, &seen, seen - 1, memory_order_acquire)) {
            return false;
        }
    }
    ftt_cas(&keys[k].waiting, &(uint32_t){0}, 1, memory_order_relaxed);
    return true;
}

/* A token is a permit handed straight to a waiter. */
static uint32_t
give(void *argument, ftt_waiter *oldest, bool more)
{
    int k = *(int *)argument;
    if (oldest == NULL) {
        atomic_fetch_add_explicit(&keys[k].permits, 1, memory_order_release);
        return 0;
    }
    (void)more;
    return 7;
}

static void
tokens(int index)
{
    int k = index % KEYS;
    if (index % 2 == 0) {
        k = (index + 1) % KEYS;
    }
    for (int i = 0; i < with->rounds; i++) {
        if (index % 2 == 0) {
            atomic_fetch_add_explicit(&given_out, 1, memory_order_relaxed);
            ftt_unpark_one(&keys[k], give, &k);
            progress();
            continue;
        }
        ftt_wait wait;
        check(ftt_wait_begin(&wait, roll() % 4 == 0 ? (int64_t)(roll() % 200000) : 2000000) == 0,
              "wait_begin failed");
        ftt_parked parked = ftt_park(&wait, &(ftt_place){.key = &keys[k],
                                                           .validate = no_permit,
                                                           .argument = &k,
                                                           .pace = &memory});
        if (parked == FTT_PARK_WOKEN) {
            check(wait.waiter->token == 7, "a token changed on its way");
        }
        if (parked == FTT_PARK_WOKEN || parked == FTT_PARK_REFUSED) {
            atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
        }
        ftt_wait_end(&wait);
        progress();
    }
}

static void
run_tokens(const options *given)
{
    with = given;
    given_out = taken = 0;
    long left = 0;
    for (int k = 0; k < KEYS; k++) {
        keys[k].permits = 0;
    }
    run_threads(with->threads, tokens);
    for (int k = 0; k < KEYS; k++) {
        left += ftt_load(&keys[k].permits);
    }
    check(taken + left == given_out, "%ld taken and %ld left of %ld", (long)taken, left,
          (long)given_out);
}

/* Waiters are numbered under the bucket lock as they queue, and must be woken in order. */
static ftt_word queue_key;
static int arrivals; /* guarded by the bucket lock */
static _Thread_local int my_number;
static int numbers[MAX_THREADS];

static bool
join_queue(void *argument)
{
    (void)argument;
    my_number = arrivals++;
    return true;
}

static uint32_t
number_of_turn(void *argument, ftt_waiter *oldest, bool more)
{
    (void)more;
    return oldest == NULL ? 0 : (uint32_t)++*(int *)argument;
}

static void
order(int index)
{
    if (index == 0) {
        int turn = 0;
        while (turn < with->threads - 1) {
            ftt_unpark_one(&queue_key, number_of_turn, &turn);
            progress();
        }
        return;
    }
    const ftt_place place = {.key = &queue_key, .validate = join_queue, .pace = &memory};
    ftt_wait wait;
    check(ftt_wait_begin(&wait, -1) == 0, "wait_begin failed");
    check(ftt_park(&wait, &place) == FTT_PARK_WOKEN, "not woken");
    numbers[index] = (int)wait.waiter->token - 1 - my_number;
    ftt_wait_end(&wait);
    progress();
}

static void
run_order(const options *given)
{
    with = given;
    for (int i = 0; i < with->rounds / 100 + 1; i++) {
        arrivals = 0;
        run_threads(with->threads, order);
        for (int t = 1; t < with->threads; t++) {
            check(numbers[t] == 0, "a waiter was woken %d places from its turn", numbers[t]);
        }
    }
}

/* At finalization the object may be freed while a thread sleeps, detached. */
typedef struct {
    ftt_lock lock;
    ftt_event event;
    ftt_semaphore semaphore;
    ftt_condition condition;
} objects;

static int
no_handler(void)
{
    return 0;
}

static void
detached(int index)
{
    objects *all = guarded_memory(sizeof(*all));
    if (index == 1) {
        take_signals(no_handler);
    }
    ftt_lock_acquire(&all->lock, -1);
    for (int i = 0; i < with->rounds / 10 + 1; i++) {
        int64_t timeout = 1 + (int64_t)(roll() % 100000);
        check(ftt_lock_acquire(&all->lock, timeout) == FTT_TIMED_OUT, "had the lock twice");
        ftt_time deadline;
        check(ftt_event_wait(&all->event, timeout, &deadline) == FTT_TIMED_OUT,
              "nobody set the event");
        check(ftt_semaphore_wait(&all->semaphore, timeout, &deadline) == FTT_TIMED_OUT,
              "had a permit");
        check(ftt_condition_wait(&all->condition, (ftt_monitor){&all->lock, NULL}, timeout) ==
                  FTT_TIMED_OUT,
              "nobody notified");
        progress();
    }
    take_signals(NULL);
    end_guard();
}

static void
run_detached(const options *given)
{
    with = given;
    start_signal_storm();
    for (int parallel = 0; parallel < 2; parallel++) {
        ftt_policy_follow(parallel != 0); /* as with the GIL, and without */
        run_threads(2, detached);
    }
    stop_signal_storm();
}

/* How soon a waiter that can be interrupted looks for signals again. */
static bool
waits_on(void *argument)
{
    (void)argument;
    return true;
}

static ftt_parked
park_for(ftt_wait *wait, ftt_time ns)
{
    const ftt_place place = {.key = &queue_key, .validate = waits_on, .pace = &memory};
    wait->deadline = ftt_now() + ns;
    return ftt_park(wait, &place);
}

static void
looks(int index)
{
    (void)index;
    ftt_wait wait;
    take_signals(no_handler);
    check(ftt_wait_begin(&wait, -1) == 0, "wait_begin failed");
    for (int i = 0; i < with->rounds / 100 + 1; i++) {
        /* Long enough to look. */
        ftt_parked end = park_for(&wait, 3000000);
        if (end == FTT_PARK_TIMEOUT) {
            check(!ftt_only_looks(&wait), "after its time it goes on as if it only looked");
        }
        /* Too short to look: only a signal can have ended it. */
        wait.up = 0;
        end = park_for(&wait, 500000);
        check(!ftt_only_looks(&wait), "after %s it goes on as if it only looked",
              end == FTT_PARK_SIGNAL ? "a signal" : "its time");
        progress();
    }
    ftt_wait_end(&wait);
    take_signals(NULL);
}

static void
run_looks(const options *given)
{
    with = given;
    run_threads(1, looks);
    start_signal_storm();
    run_threads(2, looks);
    stop_signal_storm();
}

const scenario park_scenarios[] = {
    {"looks", "what comes after a signal or a time is a new wait", run_looks},
    {"tokens", "no token is lost or doubled", run_tokens},
    {"order", "first in, first out", run_order},
    {"detached", "who sleeps touches no object", run_detached},
    {NULL, NULL, NULL},
};
