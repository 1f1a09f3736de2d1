/* Scenarios for calls that others look at: what a reader sees is of a call that goes on, and what
   is thrown into a call is raised there or dropped, once. */

#include <sched.h>

#include "harness.h"
#include "parking/park.h"

#define MAGIC 0x600dca11u

static const options *with;
static ftt_word key;
static ftt_pace memory;
static _Atomic int waiting;
static _Atomic long thrown, raised, dropped;
static _Thread_local bool timed_out;

typedef struct {
    uint32_t magic;
} object;

void
ftt_raise(void *exception)
{
    check(exception == &thrown, "raised what nobody has thrown");
    atomic_fetch_add_explicit(&raised, 1, memory_order_relaxed);
}

void
ftt_drop(void *exception)
{
    check(exception == &thrown, "dropped what nobody has thrown");
    check(!timed_out, "thrown into a call that slept no more");
    atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
}

static bool
always(void *argument)
{
    (void)argument;
    return true;
}

static uint32_t
wake(void *argument, ftt_waiter *oldest, bool more)
{
    (void)argument;
    (void)more;
    return oldest != NULL;
}

static object objects[MAX_THREADS];

static void
wait_once(object *mine)
{
    mine->magic = MAGIC;
    ftt_wait wait;
    ftt_this_thread.keeper = (ftt_keeper){mine, NULL};
    check(ftt_wait_begin(&wait, 50000 + roll() % 400000) == 0, "wait_begin failed");
    ftt_parked parked = ftt_park(&wait, &(ftt_place){.key = &key,
                                                     .validate = always,
                                                     .argument = NULL,
                                                     .pace = &memory,
                                                     .stay = roll() % 2 == 0});
    check(parked != FTT_PARK_REFUSED, "refused");
    timed_out = parked == FTT_PARK_TIMEOUT;
    ftt_wait_end(&wait);
    mine->magic = 0; /* from here on it is gone */
}

/* Looks at every call, and throws into some. */
static void
look(void)
{
    for (ftt_waiter *waiter = ftt_waiter_first(); waiter != NULL; waiter = waiter->next_made) {
        if (!ftt_call_read(&waiter->call)) {
            continue;
        }
        const object *seen = waiter->call.object;
        check(seen != NULL && seen->magic == MAGIC, "a reader saw an object that is gone");
        if (roll() % 4 == 0 && ftt_waiter_throw(waiter, &thrown)) {
            atomic_fetch_add_explicit(&thrown, 1, memory_order_relaxed);
        }
        if (roll() % 16 == 0) {
            sched_yield();
        }
        check(seen->magic == MAGIC, "an object went while a reader looked at it");
        ftt_call_unread(&waiter->call);
    }
}

static void
calls(int index)
{
    bool waits = index % 2 == 1;
    for (int i = 0; waits && i < with->rounds / 20; i++) {
        wait_once(&objects[index]);
        progress();
    }
    while (!waits && waiting > 0) {
        look();
        if (roll() % 64 == 0) {
            ftt_unpark_one(&key, wake, NULL);
        }
        sched_yield();
    }
    waiting -= waits;
}

/* One waits without a limit, and what the other throws ends it. */
static void
one_throw(int index)
{
    if (index == 0) {
        ftt_wait wait;
        check(ftt_wait_begin(&wait, -1) == 0, "wait_begin failed");
        const ftt_place place = {
            .key = &key, .validate = always, .argument = NULL, .pace = &memory};
        ftt_parked parked = FTT_PARK_SIGNAL; /* interrupted, but the throw was taken back */
        while (parked == FTT_PARK_SIGNAL) {
            parked = ftt_park(&wait, &place);
        }
        check(parked == FTT_PARK_ERROR, "what was thrown did not end the call");
        ftt_wait_end(&wait);
        return;
    }
    for (bool thrown_one = false; !thrown_one; sched_yield()) {
        ftt_waiter *waiter = ftt_waiter_first();
        for (; waiter != NULL && !thrown_one; waiter = waiter->next_made) {
            if (ftt_call_read(&waiter->call)) {
                thrown_one = ftt_waiter_throw(waiter, &thrown);
                ftt_call_unread(&waiter->call);
            }
        }
    }
}

static void
run_calls(const options *given)
{
    with = given;
    thrown = raised = dropped = 0;
    int count = with->threads < 2 ? 2 : with->threads;
    waiting = count / 2;
    run_threads(count, calls);
    check(raised + dropped == thrown, "%ld raised and %ld dropped of %ld", (long)raised,
          (long)dropped, (long)thrown);
    long before = raised;
    run_threads(2, one_throw);
    check(raised == before + 1, "what was thrown was not raised");
}

const scenario call_scenarios[] = {
    {"calls", "readers see calls that go on, and what is thrown arrives or is dropped", run_calls},
    {NULL, NULL, NULL},
};
