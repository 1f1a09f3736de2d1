/* Event: the paths on which somebody waits (state table in event.h). */

#include "event.h"

enum { TOKEN_SET = 1, TOKEN_FOREIGN = 2 };

typedef struct {
    ftt_word *word;
    uint32_t seen;
} look;

static bool
still_clear(void *argument)
{
    look *me = argument;
    /* Every look acquires: one that finds SET is the end of the wait. */
    me->seen = atomic_load_explicit(me->word, memory_order_acquire);
    do {
        if ((me->seen & (FTT_EVENT_SET | FTT_EVENT_FOREIGN)) != 0) {
            return false;
        }
    } while (!atomic_compare_exchange_strong_explicit(me->word, &me->seen,
                                                      me->seen | FTT_EVENT_WAITERS,
                                                      memory_order_acquire,
                                                      memory_order_acquire));
    return true;
}

ftt_outcome
ftt_event_wait(ftt_event *event, int64_t timeout, ftt_time *deadline)
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
    *deadline = wait.deadline;
    look me = {&event->word, 0};
    const ftt_place place = {
        .key = event,
        .validate = still_clear,
        .argument = &me,
        .pace = &event->pace,
        .stay = true,
    };
    ftt_parked parked = ftt_park(&wait, &place);
    uint32_t token = wait.waiter->token;
    ftt_wait_end(&wait);
    switch (parked) {
    case FTT_PARK_TIMEOUT:
        return FTT_TIMED_OUT;
    case FTT_PARK_ERROR:
        return FTT_FAILED;
    case FTT_PARK_REFUSED:
        return (me.seen & FTT_EVENT_SET) != 0 ? FTT_ACQUIRED : FTT_FOREIGN;
    default:
        return token == TOKEN_FOREIGN ? FTT_FOREIGN : FTT_ACQUIRED;
    }
}

/* What set() and giving up do: they change the word and tell all waiters of one moment. */
typedef struct {
    ftt_word *word;
    uint32_t token;
    bool done;
} change;

static bool
publish(void *argument)
{
    change *me = argument;
    uint32_t seen = ftt_load(me->word), next;
    do {
        me->done = (seen & FTT_EVENT_FOREIGN) == 0;
        if (!me->done) {
            return false;
        }
        next = me->token == TOKEN_SET ? (uint32_t)FTT_EVENT_SET
                                      : (seen & FTT_EVENT_SET) | FTT_EVENT_FOREIGN;
    } while (!ftt_cas(me->word, &seen, next, memory_order_release));
    return true;
}

static uint32_t
release(void *argument, ftt_waiter *waiter)
{
    (void)waiter;
    return ((change *)argument)->token;
}

static bool
tell_all(ftt_event *event, uint32_t token)
{
    change me = {&event->word, token, false};
    const ftt_filter filter = {
        .key = event, .start = publish, .filter = release, .argument = &me};
    ftt_unpark_filter(&filter);
    return me.done;
}

bool
ftt_event_set_slow(ftt_event *event, uint32_t seen)
{
    while ((seen & (FTT_EVENT_WAITERS | FTT_EVENT_FOREIGN)) == 0) {
        if (ftt_cas(&event->word, &seen, FTT_EVENT_SET, memory_order_release)) {
            return true;
        }
    }
    return tell_all(event, TOKEN_SET);
}

void
ftt_event_give_up(ftt_event *event)
{
    tell_all(event, TOKEN_FOREIGN);
}
