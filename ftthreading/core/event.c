/* Event: the paths on which somebody waits (state table in event.h). */

#include "event.h"

enum { TOKEN_SET = 1 };

static bool
still_clear(void *argument)
{
    ftt_word *word = argument;
    /* Every look acquires: one that finds SET is the end of the wait. */
    uint32_t seen = atomic_load_explicit(word, memory_order_acquire);
    do {
        FTT_WINDOW();
        if ((seen & FTT_EVENT_SET) != 0 && !FTT_SKIP_RECHECK) {
            return false;
        }
    } while (!atomic_compare_exchange_strong_explicit(word, &seen, seen | FTT_EVENT_WAITERS,
                                                      memory_order_acquire,
                                                      memory_order_acquire));
    return true;
}

ftt_outcome
ftt_event_wait(ftt_event *event, int64_t timeout)
{
    if (ftt_event_is_set(event)) {
        return FTT_ACQUIRED;
    }
    if (timeout == 0) {
        return FTT_TIMED_OUT;
    }
    ftt_wait wait;
    if (ftt_wait_begin(&wait, timeout) < 0) {
        return FTT_FAILED;
    }
    const ftt_place place = {
        .key = event,
        .still = still_clear,
        .argument = &event->word,
        .spin = &event->spin,
        .stay = true,
    };
    ftt_parked parked = ftt_park(&wait, &place);
    ftt_wait_end(&wait);
    switch (parked) {
    case FTT_PARK_TIMEOUT:
        return FTT_TIMED_OUT;
    case FTT_PARK_ERROR:
        return FTT_FAILED;
    default:
        return FTT_ACQUIRED;
    }
}

static bool
publish(void *argument)
{
    atomic_exchange_explicit((ftt_word *)argument, FTT_EVENT_SET, FTT_ORDER_RELEASE);
    return true;
}

static uint32_t
release(void *argument, ftt_waiter *waiter)
{
    (void)argument, (void)waiter;
    return TOKEN_SET;
}

void
ftt_event_set_slow(ftt_event *event)
{
    uint32_t seen = ftt_load(&event->word);
    while ((seen & FTT_EVENT_WAITERS) == 0) {
        if ((seen & FTT_EVENT_SET) != 0 ||
            ftt_cas(&event->word, &seen, FTT_EVENT_SET, FTT_ORDER_RELEASE)) {
            return;
        }
    }
    const ftt_visit visit = {
        .key = event, .start = publish, .visit = release, .argument = &event->word};
    ftt_unpark_visit(&visit);
}
