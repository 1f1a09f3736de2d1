/* Scenarios for event.c: what set() publishes is seen, also if it changes nothing, and set()
   followed at once by clear() releases exactly those who were waiting. */

#include <sched.h>
#include <stddef.h>

#include "primitives/event.h"
#include "harness.h"

static const options *with;
static ftt_event there, back;

static ftt_outcome
wait_for(ftt_event *event, int64_t timeout)
{
    ftt_time deadline;
    return ftt_event_wait(event, timeout, &deadline);
}

static long message; /* plain: the events order it */

static void
ping_pong(int index)
{
    for (int i = 0; i < with->rounds; i++) {
        if (index == 0) {
            message = i;
            ftt_event_set(&there);
            check(wait_for(&back, -1) == FTT_ACQUIRED, "wait failed");
            ftt_event_clear(&back);
            check(message == -i, "the answer is %ld, not %d", message, -i);
        }
        else {
            check(wait_for(&there, -1) == FTT_ACQUIRED, "wait failed");
            ftt_event_clear(&there);
            check(message == i, "the message is %ld, not %d", message, i);
            message = -i;
            ftt_event_set(&back);
        }
        progress();
    }
}

static void
run_ping_pong(const options *given)
{
    with = given;
    there = back = (ftt_event){0};
    run_threads(2, ping_pong);
}

/* Both events are set whenever set() is called, and each message is taken up by clear().  Whose
   turn it is is told by writes that order nothing, so ThreadSanitizer sees a race on the message
   unless set() and clear() order it. */
static _Atomic long turn;

static void
await_turn(long mine)
{
    while (atomic_load_explicit(&turn, memory_order_relaxed) != mine) {
        sched_yield();
    }
}

static void
tell_again(ftt_event *mine, ftt_event *other, long expected, long next)
{
    ftt_event_clear(mine);
    check(message == expected, "the message is %ld, not %ld", message, expected);
    message = next;
    ftt_event_set(mine);
    ftt_event_set(other);
}

static void
again(int index)
{
    for (long i = 0; i < with->rounds / 10 + 1; i++) {
        await_turn(2 * i + index);
        if (index == 0) {
            tell_again(&back, &there, -i, i);
        }
        else {
            tell_again(&there, &back, i, -i - 1);
        }
        atomic_store_explicit(&turn, 2 * i + index + 1, memory_order_relaxed);
        progress();
    }
}

static void
run_again(const options *given)
{
    with = given;
    there = back = (ftt_event){.word = FTT_EVENT_SET};
    message = 0;
    turn = 0;
    run_threads(2, again);
}

/* Thread 0 sets and clears at once whenever all others are queued.  Each wait must end, and
   none may end twice for one set(). */
static ftt_event flash;
static _Atomic long returns;

static int
handler(void)
{
    return roll() % 16 == 0 ? -1 : 0;
}

static void
flashes(int index)
{
    int others = with->threads - 1;
    if (index == 0) {
        for (int i = 0; i < with->rounds / 10 + 1; i++) {
            work(roll() % 20000);
            while (atomic_load(&returns) < (long)(i + 1) * others) {
                /* Those who come later need another flash, so repeat until all went. */
                ftt_event_set(&flash);
                ftt_event_clear(&flash);
                sched_yield();
            }
            progress();
        }
        return;
    }
    if (index % 2 == 0) {
        take_signals(handler);
    }
    for (int i = 0; i < with->rounds / 10 + 1; i++) {
        ftt_outcome outcome;
        do {
            outcome = wait_for(&flash, roll() % 4 == 0 ? 1000000 : -1);
        } while (outcome != FTT_ACQUIRED);
        atomic_fetch_add(&returns, 1);
        progress();
        while (atomic_load(&returns) < (long)(i + 1) * others) {
            sched_yield();
        }
    }
    take_signals(NULL);
}

static void
run_flashes(const options *given)
{
    with = given;
    flash = (ftt_event){0};
    returns = 0;
    start_signal_storm();
    run_threads(with->threads, flashes);
    stop_signal_storm();
    check(!ftt_event_is_set(&flash), "the flag is left set");
}

const scenario event_scenarios[] = {
    {"event-turns", "set() publishes what came before", run_ping_pong},
    {"event-again", "so does set() on a set event", run_again},
    {"event-flashes", "set() and clear() release who waits", run_flashes},
    {NULL, NULL, NULL},
};
