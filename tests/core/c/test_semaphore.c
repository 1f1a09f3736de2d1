/* Scenarios for semaphore.c: permits are conserved, whatever ends the waits. */

#include <sched.h>
#include <stddef.h>

#include "harness.h"
#include "primitives/semaphore.h"

static const options *with;
static ftt_semaphore semaphore;
static long guarded; /* plain: with one permit the semaphore is a lock */
static _Atomic long expected, inside;

static ftt_outcome
acquire(int64_t timeout)
{
    ftt_time deadline;
    return ftt_semaphore_try(&semaphore) ? FTT_ACQUIRED
                                         : ftt_semaphore_wait(&semaphore, timeout, &deadline);
}

static void
start_with(int64_t permits, const options *given)
{
    with = given;
    semaphore = (ftt_semaphore){.state = permits * FTT_SEMAPHORE_PERMIT};
    guarded = 0;
    expected = inside = 0;
}

static void
check_value(int64_t permits)
{
    check(ftt_semaphore_value(&semaphore) == permits, "the value is %ld, not %ld",
          (long)ftt_semaphore_value(&semaphore), (long)permits);
}

static void
one_permit(int index)
{
    (void)index;
    for (int i = 0; i < with->rounds; i++) {
        int64_t timeout = roll() % 4 == 0 ? (int64_t)(roll() % 100000) : -1;
        if (acquire(timeout) == FTT_ACQUIRED) {
            guarded++;
            atomic_fetch_add_explicit(&expected, 1, memory_order_relaxed);
            work(roll() % 256 == 0 ? 50000 : 0);
            check(ftt_semaphore_release(&semaphore, 1, 1), "release refused");
        }
        else {
            check(timeout >= 0, "an acquire without a timeout timed out");
        }
        progress();
    }
}

static void
run_one_permit(const options *given)
{
    start_with(1, given);
    run_threads(with->threads, one_permit);
    check(guarded == expected, "counted %ld, not %ld", guarded, (long)expected);
    check_value(1);
}

static int
handler(void)
{
    /* A handler may use the very semaphore it interrupts, and raise. */
    if (acquire(0) == FTT_ACQUIRED) {
        check(ftt_semaphore_release(&semaphore, 1, FTT_SEMAPHORE_MAX), "release refused");
    }
    return roll() % 4 == 0 ? -1 : 0;
}

static void
many_permits(int index)
{
    if (index % 2 == 0) {
        take_signals(handler);
    }
    for (int i = 0; i < with->rounds; i++) {
        int64_t timeout = roll() % 2 == 0 ? (int64_t)(roll() % 50000) : -1;
        if (acquire(timeout) != FTT_ACQUIRED) {
            progress();
            continue;
        }
        long now = 1 + atomic_fetch_add(&inside, 1);
        check(now <= 3, "%ld threads have one of 3 permits", now);
        work(roll() % 128 == 0 ? 100000 : 0);
        atomic_fetch_sub(&inside, 1);
        check(ftt_semaphore_release(&semaphore, 1, 3), "release refused");
        progress();
    }
    take_signals(NULL);
}

static void
run_many_permits(const options *given)
{
    start_with(3, given);
    start_signal_storm();
    run_threads(with->threads, many_permits);
    stop_signal_storm();
    check_value(3);
}

/* Thread 0 gives permits in lots; the others take one each.  No one may stay asleep while
   there are permits. */
static void
lots(int index)
{
    int takers = with->threads - 1;
    if (index != 0) {
        for (int i = 0; i < with->rounds; i++) {
            check(acquire(-1) == FTT_ACQUIRED, "acquire failed");
            progress();
        }
        return;
    }
    long left = (long)takers * with->rounds;
    while (left > 0) {
        long lot = 1 + (long)(roll() % 7);
        lot = lot < left ? lot : left;
        check(ftt_semaphore_release(&semaphore, lot, FTT_SEMAPHORE_MAX), "release refused");
        left -= lot;
        work(roll() % 64 == 0 ? 1200000 : roll() % 2000);
    }
}

static void
run_lots(const options *given)
{
    start_with(0, given);
    run_threads(with->threads, lots);
    check_value(0);
}

/* Two threads send each other numbers, and read one as soon as they see a permit. */
static ftt_semaphore gates[2];

static void
look(int index)
{
    for (int i = 0; i < with->rounds / 10 + 1; i++) {
        if (i > 0 || index == 1) {
            while (ftt_semaphore_value(&gates[1 - index]) == 0) {
                sched_yield();
            }
            check(guarded == 2 * i + index - 1, "the number is %ld, not %d", guarded,
                  2 * i + index - 1);
            check(ftt_semaphore_try(&gates[1 - index]), "the permit is gone");
        }
        guarded = 2 * i + index;
        ftt_semaphore_release(&gates[index], 1, FTT_SEMAPHORE_MAX);
        progress();
    }
}

static void
run_look(const options *given)
{
    start_with(0, given);
    gates[0] = gates[1] = (ftt_semaphore){0};
    run_threads(2, look);
}

const scenario semaphore_scenarios[] = {
    {"permit", "one permit makes a lock", run_one_permit},
    {"permits", "permits are conserved", run_many_permits},
    {"lots", "release(n) reaches n", run_lots},
    {"permit-look", "who sees a permit sees what came before", run_look},
    {NULL, NULL, NULL},
};
