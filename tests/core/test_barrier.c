/* Scenarios for barrier.c: nobody passes before all have come, generation after generation,
   and timeouts, aborts and resets leave nobody behind. */

#include <stddef.h>

#include "barrier.h"
#include "harness.h"

static const options *with;
static ftt_barrier barrier;
static long slots[MAX_THREADS]; /* plain: the barrier orders them */
static _Atomic long actions;

static ftt_barrier_end
pass(bool has_action, int64_t timeout, int64_t *index)
{
    ftt_arrival arrival;
    ftt_barrier_end end = ftt_barrier_wait(&barrier, timeout, has_action, &arrival);
    if (end == FTT_BARRIER_LAST) {
        atomic_fetch_add(&actions, 1);
        work(roll() % 16 == 0 ? 20000 : 0);
        uint32_t dice = with->seed % 2 == 1 ? roll() % 64 : 63;
        if (dice == 0) {
            ftt_barrier_abort(&barrier);
        }
        else if (dice == 1) {
            ftt_barrier_reset(&barrier);
        }
        end = ftt_barrier_trip(&barrier, arrival.generation, dice != 2) && dice != 2
                  ? FTT_BARRIER_PASSED
                  : FTT_BARRIER_BROKEN;
    }
    *index = arrival.index;
    return end;
}

static void
generations(int index)
{
    for (int i = 1; i <= with->rounds; i++) {
        int64_t place = -1;
        slots[index] = i;
        check(pass(false, -1, &place) == FTT_BARRIER_PASSED, "the barrier broke");
        check(place >= 0 && place < with->threads, "index %ld", (long)place);
        for (int t = 0; t < with->threads; t++) {
            check(slots[t] == i, "passed generation %d before thread %d came", i, t);
        }
        check(pass(false, -1, &place) == FTT_BARRIER_PASSED, "the barrier broke");
        progress();
    }
}

static void
run_generations(const options *given)
{
    with = given;
    barrier = (ftt_barrier){0};
    ftt_barrier_init(&barrier, with->threads);
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
        switch (pass(true, roll() % 8 == 0 ? (int64_t)(roll() % 200000) : 20000000, &place)) {
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
    barrier = (ftt_barrier){0};
    ftt_barrier_init(&barrier, with->threads > 3 ? with->threads - 2 : 2);
    passed = actions = 0;
    over = false;
    start_signal_storm();
    run_threads(with->threads, trouble);
    stop_signal_storm();
    check(passed <= actions * barrier.parties, "%ld passed in %ld generations of %ld",
          (long)passed, (long)actions, (long)barrier.parties);
}

const scenario barrier_scenarios[] = {
    {"generations", "nobody passes before all have come", run_generations},
    {"trouble", "nobody is left behind", run_trouble},
    {NULL, NULL, NULL},
};
