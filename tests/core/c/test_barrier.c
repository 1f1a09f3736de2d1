/* Scenarios for barrier.c: nobody passes before all have come, generation after generation,
   one action at a time; a generation that is complete passes whole, whoever times out behind
   it; timeouts, exceptions, aborts and resets leave nobody behind. */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stddef.h>

#include "primitives/barrier.h"
#include "harness.h"

static const options *with;
static ftt_barrier barrier;
static long slots[MAX_THREADS]; /* plain: the barrier orders them */
static _Atomic long actions;
static long acting; /* plain: one action at a time */

/* An action of some length, in which something happens at times if `eventful`. */
static bool
act(bool eventful)
{
    atomic_fetch_add(&actions, 1);
    check(++acting == 1, "two actions at once");
    work(roll() % 16 == 0 ? 20000 : 0);
    uint32_t dice = eventful ? roll() % 64 : 63;
    if (dice == 0) {
        ftt_barrier_abort(&barrier);
    }
    else if (dice == 1) {
        ftt_barrier_reset(&barrier);
    }
    check(--acting == 0, "two actions at once");
    return dice != 2;
}

typedef enum { WITHOUT_ACTION, WITH_ACTION, EVENTFUL } kind;

static ftt_barrier_end
pass(kind action, int64_t timeout, int64_t *index)
{
    ftt_arrival arrival;
    ftt_barrier_end end = ftt_barrier_wait(&barrier, timeout, &arrival);
    if (end == FTT_BARRIER_LEADS) {
        bool succeeded = action == WITHOUT_ACTION || act(action == EVENTFUL);
        end = ftt_barrier_trip(&barrier, arrival.generation, succeeded) && succeeded
                  ? FTT_BARRIER_PASSED
                  : FTT_BARRIER_BROKEN;
    }
    *index = arrival.index;
    return end;
}

static void
make_new(int64_t parties)
{
    barrier = (ftt_barrier){0};
    ftt_barrier_init(&barrier, parties);
    actions = 0;
}

static void
generations(int index)
{
    for (int i = 1; i <= with->rounds; i++) {
        int64_t place = -1;
        slots[index] = i;
        check(pass(WITHOUT_ACTION, -1, &place) == FTT_BARRIER_PASSED, "the barrier broke");
        check(place >= 0 && place < with->threads, "index %ld", (long)place);
        for (int t = 0; t < with->threads; t++) {
            check(slots[t] == i, "passed generation %d before thread %d came", i, t);
        }
        check(pass(WITHOUT_ACTION, -1, &place) == FTT_BARRIER_PASSED, "the barrier broke");
        progress();
    }
}

static void
run_generations(const options *given)
{
    with = given;
    make_new(with->threads);
    run_threads(with->threads, generations);
    check(ftt_barrier_count(&barrier) == 0 && !ftt_barrier_broken(&barrier), "not as at first");
}

/* More threads than parties, with actions, timeouts, signals that raise, aborts and resets.
   Everybody must come back; a broken barrier is reset by whoever finds it. */
static _Atomic long passed;
static _Atomic bool over;

static int
handler(void)
{
    return roll() % 4 == 0 ? -1 : 0;
}

static void
trouble(int index)
{
    if (index % 3 == 0) {
        take_signals(handler);
    }
    for (int i = 0; i < with->rounds && !atomic_load(&over); i++) {
        int64_t place;
        kind action = with->seed % 2 == 1 ? EVENTFUL : WITH_ACTION;
        int64_t timeout = roll() % 8 == 0 ? (int64_t)(roll() % 200000) : 20000000;
        switch (pass(action, timeout, &place)) {
        case FTT_BARRIER_PASSED:
            atomic_fetch_add(&passed, 1);
            break;
        case FTT_BARRIER_BROKEN:
            ftt_barrier_reset(&barrier);
            break;
        default:
            break;
        }
        progress();
    }
    take_signals(NULL);
    atomic_store(&over, true);
}

static void
run_trouble(const options *given)
{
    with = given;
    make_new(with->threads > 3 ? with->threads - 2 : 2);
    passed = 0;
    over = false;
    start_signal_storm();
    run_threads(with->threads, trouble);
    stop_signal_storm();
    check(passed <= actions * barrier.parties, "%ld passed in %ld generations of %ld",
          (long)passed, (long)actions, (long)barrier.parties);
}

/* Several generations at a time, so that most wait for their turn, and signals that raise.
   Nobody times out, so none is broken before it is over. */
static void
turns(int index)
{
    take_signals(index % 2 == 0 ? handler : NULL);
    for (int i = 0; i < with->rounds / 2 && !atomic_load(&over);) {
        int64_t place = -1;
        switch (pass(WITH_ACTION, -1, &place)) {
        case FTT_BARRIER_PASSED:
            check(place >= 0 && place < barrier.parties, "index %ld", (long)place);
            atomic_fetch_add(&passed, 1);
            i++;
            progress(); /* not for exceptions, which do not end when a turn is lost */
            break;
        case FTT_BARRIER_BROKEN:
            check(atomic_load(&over), "the barrier broke");
            break;
        default:
            break;
        }
    }
    take_signals(NULL);
    atomic_store(&over, true);
    ftt_barrier_abort(&barrier);
}

static void
run_turns(const options *given)
{
    with = given;
    make_new(2);
    passed = 0;
    over = false;
    start_signal_storm();
    run_threads(with->threads, turns);
    stop_signal_storm();
    check(passed <= actions * barrier.parties, "%ld passed in %ld generations of %ld",
          (long)passed, (long)actions, (long)barrier.parties);
}

static pthread_barrier_t round_begins, round_ends;

static void
run_rounds(void (*body)(int))
{
    pthread_barrier_init(&round_begins, NULL, (unsigned)with->threads);
    pthread_barrier_init(&round_ends, NULL, (unsigned)with->threads);
    run_threads(with->threads, body);
    pthread_barrier_destroy(&round_begins);
    pthread_barrier_destroy(&round_ends);
}

/* Fewer threads than two generations take, and all may time out.  Either all parties come in
   time and the action runs: then they pass, and only those behind fail.  Or all fail. */
static void
verdicts(int index)
{
    for (int i = 0; i < with->rounds / 8; i++) {
        if (index == 0) {
            make_new(barrier.parties);
            passed = 0;
        }
        pthread_barrier_wait(&round_begins);
        int64_t place;
        if (pass(WITH_ACTION, (int64_t)(roll() % 100000), &place) == FTT_BARRIER_PASSED) {
            atomic_fetch_add(&passed, 1);
        }
        pthread_barrier_wait(&round_ends);
        if (index == 0) {
            check(passed == actions * barrier.parties, "%ld passed after %ld actions",
                  (long)passed, (long)actions);
            progress();
        }
    }
}

static void
run_verdicts(const options *given)
{
    with = given;
    make_new(with->threads / 2 + 1);
    run_rounds(verdicts);
}

/* Whoever reads that somebody waits, or that the barrier is broken, sees what came before. */
static long written; /* plain */
static _Atomic int seen;

static void
sights(int index)
{
    for (int i = 1; i <= with->rounds / 8; i++) {
        bool aborts = i % 2 == 0;
        int64_t place;
        pthread_barrier_wait(&round_begins);
        if (index == 0) {
            written = i;
            if (aborts) {
                ftt_barrier_abort(&barrier);
            }
            else {
                check(pass(WITHOUT_ACTION, -1, &place) == FTT_BARRIER_BROKEN, "not broken");
            }
        }
        else {
            while (aborts ? !ftt_barrier_broken(&barrier) : ftt_barrier_count(&barrier) != 1) {
                sched_yield();
            }
            check(written == i, "round %d saw %ld", i, written);
            if (atomic_fetch_add(&seen, 1) == with->threads - 2) { /* the last of them */
                atomic_store(&seen, 0);
                ftt_barrier_reset(&barrier);
                progress();
            }
        }
        pthread_barrier_wait(&round_ends);
    }
}

static void
run_sights(const options *given)
{
    with = given;
    make_new(2);
    run_rounds(sights);
}

const scenario barrier_scenarios[] = {
    {"generations", "nobody passes before all have come", run_generations},
    {"turns", "one action at a time, and nobody breaks what is complete", run_turns},
    {"verdicts", "who times out behind a generation breaks it not", run_verdicts},
    {"sights", "who sees it broken or waiting sees what came before", run_sights},
    {"trouble", "nobody is left behind", run_trouble},
    {NULL, NULL, NULL},
};
