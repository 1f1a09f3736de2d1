/* Waiting in the parking table (see park.h; waking is in unpark.c).

   Who may do what: a waiter is linked into and out of a queue only under the lock of its
   key's bucket, and `key` is non-NULL exactly while it is linked.  Whoever unlinks it
   decides how its wait ends:

     another thread   token set under the bucket lock, sleeper posted soon after
     the waiter       after its sleep ended by deadline or signal; nobody can choose it now

   So a waiter whose sleep ended without a post takes the bucket lock and looks: still
   linked, it unlinks itself and has timed out or been interrupted; not linked, somebody's
   verdict stands and it waits the moment until the post arrives.

   No lost wake-up: validate() and the linking are one step under the bucket lock, and an
   unparker changes the word under that lock too (or has seen no reason to take it, which
   the primitive's own state table argues).  So either validate() sees the change or the
   unparker sees the waiter.

   What is waited on may be gone.  When the interpreter finalizes, it deletes the thread states
   of daemon threads, and what they refer to only from the interpreter's stack, with deferred
   counting, is freed while they sleep.  So

     - a sleeping thread, detached, touches its waiter, which is never freed, and the table,
       where the key is but a number.  Callbacks and the pace, which are the object's,
       are for before ftt_detach() and after ftt_attach().  No test whether finalization has
       begun would do instead: it can begin right after the test.  A daemon thread does not
       come back from ftt_attach() then, and one that has come back is waited for, attached as
       it is, before any thread state is deleted;
     - it stays in its queue until it is attached again, for ever if it does not come back.
       Until then it can be chosen, although its time has run out, and then it was chosen in
       time.  What is given to one that never comes back is lost; but nobody waits for it any
       more (blocking.c), nothing is handed over then (lock.h), and a free lock that a sleeper
       was told of can be taken by all others;
     - the callers' types hold a strong reference meanwhile, so that no other object gets the
       address, and with it the key, of one that is still waited on.

   A waiter that stays queued while its signal handlers run is marked busy: it can be told its
   token, but who needs a waiter to act at once rather picks another (barrier.c). */

#include "park.h"
#include "table.h"

#define SHORTEST_SLICE ((ftt_time)1000 * 1000)           /* ns */
#define LONGEST_SLICE ((ftt_time)60 * 1000 * 1000 * 1000) /* ns */

int
ftt_wait_begin(ftt_wait *wait, int64_t timeout)
{
    wait->waiter = ftt_waiter_take();
    ftt_keeper keeper = ftt_this_thread.keeper;
    ftt_this_thread.keeper = (ftt_keeper){NULL, NULL};
    if (wait->waiter == NULL) {
        ftt_out_of_memory();
        return -1;
    }
    ftt_time now = ftt_now();
    wait->waiter->since = now;
    wait->waiter->charged = now;
    wait->waiter->busy = false;
    wait->deadline = timeout < 0 || timeout > FTT_FOREVER - now ? FTT_FOREVER : now + timeout;
    wait->up = 0;
    wait->returning = false;
    wait->chosen = false;
    ftt_call_begin(&wait->waiter->call, keeper, ftt_this_thread.ident, now, wait->deadline,
                   ftt_this_thread.returning);
    if (ftt_before_blocking() < 0) {
        ftt_wait_end(wait);
        return -1;
    }
    return 0;
}

void
ftt_wait_end(ftt_wait *wait)
{
    ftt_call_end(&wait->waiter->call);
    ftt_waiter_disclaim(wait->waiter);
    ftt_waiter_give_back(wait->waiter);
}

typedef enum { TIMED_OUT, RAISED, BUSY, BUSY_NO_MORE } reason;
typedef enum { CHOSEN, LEFT, STAYED } place_now;

/* What a waiter may do to itself while queued: leave, or say that it is busy.  CHOSEN means
   that its token is on the way. */
static place_now
change_own(ftt_wait *wait, const ftt_place *place, reason why)
{
    ftt_waiter *self = wait->waiter;
    place_now now = STAYED;
    ftt_bucket *bucket = ftt_bucket_lock(place->key);
    if (ftt_key_of(self) == NULL) {
        now = CHOSEN;
        wait->chosen = true;
    }
    else if (why == BUSY || why == BUSY_NO_MORE) {
        self->busy = why == BUSY;
    }
    else {
        bool leaves = place->leave == NULL || place->leave(place->argument, why == TIMED_OUT);
        if (leaves || why == RAISED) {
            now = LEFT;
            ftt_unlink(bucket, self);
        }
    }
    ftt_bucket_unlock(bucket);
    return now;
}

static ftt_sleep_end
sleep_until(ftt_waiter *self, ftt_time deadline, ftt_time look)
{
    ftt_sleep_end end = ftt_sleep(&self->sleeper, deadline, look);
    if (self->sleeper.slept) {
        ftt_slept();
    }
    return end;
}

/* The token was decided; its post is a few instructions away. */
static ftt_parked
await_post(ftt_waiter *self)
{
    void *detached = ftt_detach();
    while (sleep_until(self, FTT_FOREVER, FTT_FOREVER) != FTT_SLEEP_POSTED) {
    }
    ftt_attach(detached);
    return FTT_PARK_WOKEN;
}

bool
ftt_park_leave(ftt_wait *wait, const ftt_place *place)
{
    bool left = change_own(wait, place, RAISED) == LEFT;
    if (!left) {
        await_post(wait->waiter);
    }
    return left;
}

static bool
posted(const ftt_waiter *self)
{
    return atomic_load_explicit(&self->sleeper.state, memory_order_acquire) == FTT_POSTED_STATE;
}

/* When to look for signals that came just before a sleep: soon after it has begun, and ever more
   rarely from there on. */
static ftt_time
next_look(ftt_wait *wait)
{
    ftt_time now = ftt_now();
    wait->up = wait->up == 0 ? now : wait->up;
    ftt_time slice = now - wait->up;
    return now + (slice < SHORTEST_SLICE  ? SHORTEST_SLICE
                  : slice > LONGEST_SLICE ? LONGEST_SLICE
                                          : slice);
}

static ftt_sleep_end
stay_awake_or_sleep(ftt_wait *wait, ftt_awake *awake, bool interruptible)
{
    ftt_waiter *self = wait->waiter;
    while (ftt_awake_yield(awake)) {
        if (posted(self)) {
            return FTT_SLEEP_POSTED;
        }
    }
    return sleep_until(self, wait->deadline, interruptible ? next_look(wait) : FTT_FOREVER);
}

/* Waits until something happens, and leaves the queue unless it was chosen or is to stay for
   handlers. */
static ftt_sleep_end
sleep_on(ftt_wait *wait, const ftt_place *place, ftt_awake *awake, bool interruptible)
{
    for (;;) {
        /* What was thrown at a sleep that a post has ended, before the call went to sleep again. */
        ftt_sleep_end end = FTT_SLEEP_SIGNAL;
        if (atomic_load_explicit(&wait->waiter->call.thrown, memory_order_relaxed) == NULL) {
            void *detached = ftt_detach();
            end = stay_awake_or_sleep(wait, awake, interruptible);
            ftt_attach(detached);
        }
        if (end != FTT_SLEEP_LOOK) {
            wait->up = 0;
        }
        if (end == FTT_SLEEP_POSTED || (end != FTT_SLEEP_TIMEOUT && place->stay)) {
            return end;
        }
        switch (change_own(wait, place, end == FTT_SLEEP_TIMEOUT ? TIMED_OUT : RAISED)) {
        case LEFT:
            return end;
        case CHOSEN:
            await_post(wait->waiter);
            return FTT_SLEEP_POSTED;
        case STAYED: /* leave() says that a verdict is near: no more timeouts */
            wait->deadline = FTT_FOREVER;
        }
    }
}

/* Raises what another thread has thrown into this call, or runs signal handlers. */
static int
run_handlers(ftt_waiter *self)
{
    void *thrown = atomic_exchange_explicit(&self->call.thrown, NULL, memory_order_acquire);
    if (thrown != NULL) {
        ftt_raise(thrown);
        return -1;
    }
    return ftt_run_handlers();
}

/* Runs handlers while queued.  FTT_PARK_REFUSED: go on sleeping. */
static ftt_parked
handle_in_queue(ftt_wait *wait, const ftt_place *place)
{
    if (change_own(wait, place, BUSY) == CHOSEN) {
        return await_post(wait->waiter);
    }
    if (run_handlers(wait->waiter) < 0) {
        ftt_park_leave(wait, place);
        return FTT_PARK_ERROR;
    }
    bool stayed = change_own(wait, place, BUSY_NO_MORE) == STAYED;
    return stayed ? FTT_PARK_REFUSED : await_post(wait->waiter);
}

bool
ftt_park_join(ftt_wait *wait, const ftt_place *place)
{
    ftt_waiter *self = wait->waiter;
    ftt_bucket *bucket = ftt_bucket_lock(place->key);
    bool joins = place->validate(place->argument);
    if (joins) {
        ftt_sleeper_reset(&self->sleeper);
        atomic_store_explicit(&self->posted, 0, memory_order_relaxed);
        ftt_link(bucket, self, place->key, wait->returning);
        wait->returning = true;
        wait->chosen = false;
    }
    ftt_bucket_unlock(bucket);
    return joins;
}

static ftt_time
woken_at(const ftt_waiter *self)
{
    return self->sleeper.slept ? atomic_load_explicit(&self->posted, memory_order_relaxed) : 0;
}

ftt_parked
ftt_park_sleep(ftt_wait *wait, const ftt_place *place)
{
    ftt_waiter *self = wait->waiter;
    bool interruptible = ftt_interruptible();
    ftt_awake awake = {0}; /* no time awake; to the policy, begun long ago */
    if (!ftt_only_looks(wait)) {
        awake = ftt_awake_begin(ftt_budget(place->pace), wait->deadline);
    }
    while (!place->spun && ftt_awake_pause(&awake)) {
        if (posted(self)) {
            ftt_policy_learn(place->pace, awake.began, 0);
            wait->chosen = true;
            return FTT_PARK_WOKEN;
        }
    }
    for (;;) {
        switch (sleep_on(wait, place, &awake, interruptible)) {
        case FTT_SLEEP_POSTED:
            ftt_policy_learn(place->pace, awake.began, woken_at(self));
            wait->chosen = true;
            return FTT_PARK_WOKEN;
        case FTT_SLEEP_TIMEOUT:
            ftt_policy_learn_vain(place->pace, awake.began);
            return FTT_PARK_TIMEOUT;
        case FTT_SLEEP_SIGNAL:
        case FTT_SLEEP_LOOK:
            awake.turns = 0;
            break;
        }
        if (!place->stay) {
            return run_handlers(self) < 0 ? FTT_PARK_ERROR : FTT_PARK_SIGNAL;
        }
        ftt_parked parked = handle_in_queue(wait, place);
        if (parked != FTT_PARK_REFUSED) {
            return parked;
        }
    }
}

ftt_parked
ftt_park(ftt_wait *wait, const ftt_place *place)
{
    return ftt_park_join(wait, place) ? ftt_park_sleep(wait, place) : FTT_PARK_REFUSED;
}
