/* The parking table: who waits on which address, in what order, and what each is told.

   A bare futex wakes anonymous sleepers.  A lock that hands itself over, an exact
   notify(n), a barrier with a verdict all need to pick one waiter and tell it something.
   So every waiter has a node in a queue of its address, and whoever wakes it takes it off
   that queue and decides on a token in one step.  (The idea is WebKit's ParkingLot.) */

#ifndef FTT_PARK_H
#define FTT_PARK_H

#include "blocking.h"
#include "policy.h"
#include "thread.h"

/* One blocking call, from its first failed attempt to its end; it may park many times. */
typedef struct {
    ftt_waiter *waiter;
    ftt_time deadline;
    ftt_time up;    /* since when it has been up only to look for signals; 0 if it has not */
    bool returning; /* queued before in this call: keeps its place by age */
    bool chosen;    /* was taken off the queue that it joined last, and given a token */
} ftt_wait;

/* `timeout` in ns, negative for none.  -1 with an exception set; handlers may have run. */
int ftt_wait_begin(ftt_wait *wait, int64_t timeout);
void ftt_wait_end(ftt_wait *wait);

/* Whether it goes back to a sleep from which it only got up to look for signals.  Then it must not
   linger: what comes between its look and the sleep waits for the next look. */
static inline bool
ftt_only_looks(const ftt_wait *wait)
{
    return wait->up != 0;
}

/* Where and how to wait. */
typedef struct {
    const void *key;
    /* Under the bucket lock, which orders it against every unpark of the key: whether there
       is still something to wait for.  A few lines of plain C, as for all callbacks here. */
    bool (*validate)(void *argument);
    /* Under the bucket lock: the waiter is about to leave this queue by itself.  On a timeout
       it may answer false: wait on, without a limit, as interruptible as before.  May be
       NULL. */
    bool (*leave)(void *argument, bool timeout);
    void *argument;
    ftt_pace *pace; /* how long to stay awake, once queued */
    bool spun;      /* the caller has already spun on its word: no more pauses */
    /* Whether to stay queued while signal handlers run.  State-based primitives leave, lest
       the lock be handed to a frame whose handler waits for it; where a notification during
       the handler must count, the waiter stays. */
    bool stay;
} ftt_place;

typedef enum {
    FTT_PARK_WOKEN,   /* wait->waiter->token says why */
    FTT_PARK_REFUSED, /* validate() said no, nobody slept */
    FTT_PARK_TIMEOUT,
    FTT_PARK_SIGNAL, /* handlers ran and none raised; only without `stay` */
    FTT_PARK_ERROR   /* an exception is set */
} ftt_parked;

/* Queues the caller and sleeps.  On return it is in no queue.

   Somebody's token wins over a deadline or signal of the same moment: WOKEN.  Only an
   exception wins over a token; then wait->chosen tells the caller that it has one to pass
   on. */
ftt_parked ftt_park(ftt_wait *wait, const ftt_place *place);

/* The two halves of ftt_park(), for those who must do something once they are queued; and
   the way out between them, false if the waiter has been chosen. */
bool ftt_park_join(ftt_wait *wait, const ftt_place *place);
ftt_parked ftt_park_sleep(ftt_wait *wait, const ftt_place *place);
bool ftt_park_leave(ftt_wait *wait, const ftt_place *place);

/* Shows choose() the oldest waiter on `key` (NULL if there is none) and whether there are
   more, under the bucket lock.  A token other than 0 takes that waiter off the queue and
   wakes it. */
typedef uint32_t (*ftt_choose)(void *argument, ftt_waiter *oldest, bool more);
void ftt_unpark_one(const void *key, ftt_choose choose, void *argument);

enum {
    FTT_STAY = 0,   /* this one waits on */
    FTT_STOP = 100, /* this one and all after it wait on */
};

/* Asks filter() of each waiter on `key`, oldest first, under the bucket lock; it returns one of
   the above or a token to wake with.  start() runs before, and may call it off by false;
   finish() after, told how many still wait.  Both may be NULL. */
typedef struct {
    const void *key;
    bool (*start)(void *argument);
    uint32_t (*filter)(void *argument, ftt_waiter *waiter);
    void (*finish)(void *argument, uint32_t left);
    void *argument;
} ftt_filter;
void ftt_unpark_filter(const ftt_filter *filter);

/* Runs a few lines under the bucket lock of `key`. */
void ftt_park_locked(const void *key, void (*run)(void *argument), void *argument);

/* Process-wide set-up; may be called again.  Not 0 when out of memory. */
int ftt_park_init(void);

#endif
