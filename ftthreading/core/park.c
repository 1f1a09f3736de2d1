/* Waiting in the parking table (see park.h; waking is in unpark.c).

   Who may do what: a waiter is linked into and out of a queue only under the lock of its
   key's bucket, and `key` is non-NULL exactly while it is linked.  Whoever unlinks it
   decides how its wait ends:

     another thread   token set under the bucket lock, sleeper posted soon after
     the waiter       after its sleep ended by deadline or signal; nobody can choose it now

   So a waiter whose sleep ended without a post takes the bucket lock and looks: still
   linked, it unlinks itself and has timed out or been interrupted; not linked, somebody's
   verdict stands and it waits the moment until the post arrives.

   No lost wake-up: still() and the linking are one step under the bucket lock, and an
   unparker changes the word under that lock too (or has seen no reason to take it, which
   the primitive's own state table argues).  So either still() sees the change or the
   unparker sees the waiter.

   What is waited on may be gone.  When the interpreter finalizes, it deletes the thread states
   of daemon threads, and what they refer to only from the interpreter's stack, with deferred
   counting, is freed while they sleep.  So

     - a sleeping thread, detached, touches its waiter, which is never freed, and the table,
       where the key is but a number.  Callbacks and the spin's memory, which are the object's,
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

   A waiter that stays queued while its signal handlers run is marked busy, so that it is
   told its token but not moved to a lock's queue: a lock handed to it there would be held
   by a frame that cannot run until the handler, which may want the lock, returns. */

#include "park.h"
#include "table.h"
#include "testing.h"

int
ftt_wait_begin(ftt_wait *wait, int64_t timeout)
{
    wait->waiter = ftt_waiter_take();
    if (wait->waiter == NULL) {
        ftt_out_of_memory();
        return -1;
    }
    ftt_time now = ftt_now();
    wait->waiter->since = now;
    wait->waiter->busy = false;
    wait->deadline = timeout < 0 || timeout > FTT_FOREVER - now ? FTT_FOREVER : now + timeout;
    wait->returning = false;
    wait->chosen = false;
    if (ftt_before_blocking() < 0) {
        ftt_wait_end(wait);
        return -1;
    }
    return 0;
}

void
ftt_wait_end(ftt_wait *wait)
{
    ftt_waiter_disclaim(wait->waiter);
    ftt_waiter_give_back(wait->waiter);
}

typedef enum { TIMED_OUT, RAISED, BUSY, BUSY_NO_MORE } reason;
typedef enum { CHOSEN, LEFT, STAYED } place_now;

/* What a waiter may do to itself while queued: leave, or say that it is busy.  CHOSEN means
   that its token is on the way.  Found moved to another queue, it leaves that one. */
static place_now
change_own(ftt_wait *wait, const ftt_place *place, reason why)
{
    ftt_waiter *self = wait->waiter;
    const void *key = ftt_key_of(self);
    for (; key != NULL; key = ftt_key_of(self)) {
        ftt_bucket *bucket = ftt_bucket_lock(key);
        place_now now = CHOSEN;
        if (ftt_key_of(self) != key) {
            /* Moved or chosen between our look and the lock: look again. */
            ftt_bucket_unlock(bucket);
            continue;
        }
        if (key != place->key) {
            wait->chosen = true;
            now = LEFT;
        }
        else if (why == BUSY || why == BUSY_NO_MORE) {
            self->busy = why == BUSY;
            now = STAYED;
        }
        else {
            bool leaves = place->leave == NULL || place->leave(place->argument, why == TIMED_OUT);
            now = leaves || why == RAISED ? LEFT : STAYED;
        }
        if (now == LEFT) {
            ftt_unlink(bucket, self);
        }
        ftt_bucket_unlock(bucket);
        return now;
    }
    wait->chosen = true;
    return CHOSEN;
}

/* The token was decided; its post is a few instructions away. */
static ftt_parked
await_post(ftt_waiter *self)
{
    void *detached = ftt_detach();
    ftt_sleep(&self->sleeper, FTT_FOREVER, false);
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
    return left && !wait->chosen;
}

static bool
watch(ftt_waiter *self, ftt_spinner spinner)
{
    while (ftt_spin_pause(&spinner)) {
        if (atomic_load_explicit(&self->sleeper.state, memory_order_acquire) ==
            FTT_POSTED_STATE) {
            ftt_spin_hit(&spinner);
            return true;
        }
    }
    return false;
}

/* Sleeps until something happens, and leaves the queue unless it was chosen or is to stay for
   handlers. */
static ftt_sleep_end
sleep_on(ftt_wait *wait, const ftt_place *place, bool interruptible)
{
    for (;;) {
        ftt_spinner spinner = ftt_spin_begin_long(place->spin);
        void *detached = ftt_detach();
        ftt_sleep_end end = FTT_SLEEP_POSTED;
        if (!watch(wait->waiter, spinner)) {
            end = ftt_sleep(&wait->waiter->sleeper, wait->deadline, interruptible);
        }
        ftt_attach(detached);
        FTT_WINDOW();
        if (end == FTT_SLEEP_POSTED || (end == FTT_SLEEP_SIGNAL && place->stay)) {
            return end;
        }
        switch (change_own(wait, place, end == FTT_SLEEP_TIMEOUT ? TIMED_OUT : RAISED)) {
        case LEFT:
            return end;
        case CHOSEN:
            if (FTT_TIMEOUT_WINS) {
                return end;
            }
            await_post(wait->waiter);
            return FTT_SLEEP_POSTED;
        case STAYED: /* leave() says that a verdict is near: no more timeouts */
            wait->deadline = FTT_FOREVER;
        }
    }
}

/* Runs handlers while queued.  FTT_PARK_REFUSED: go on sleeping. */
static ftt_parked
handle_in_queue(ftt_wait *wait, const ftt_place *place)
{
    switch (change_own(wait, place, BUSY)) {
    case CHOSEN:
        return await_post(wait->waiter);
    case LEFT:
        return FTT_PARK_SIGNAL;
    case STAYED:
        break;
    }
    if (ftt_run_handlers() < 0) {
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
    bool joins = place->still(place->argument);
    if (joins) {
        ftt_sleeper_reset(&self->sleeper);
        ftt_link(bucket, self, place->key, wait->returning);
        self->moved = false;
        wait->returning = true;
        wait->chosen = false;
    }
    ftt_bucket_unlock(bucket);
    return joins;
}

ftt_parked
ftt_park_sleep(ftt_wait *wait, const ftt_place *place)
{
    bool interruptible = ftt_interruptible();
    if (!place->spun && watch(wait->waiter, ftt_spin_begin(place->spin))) {
        wait->chosen = true;
        return FTT_PARK_WOKEN;
    }
    for (;;) {
        switch (sleep_on(wait, place, interruptible)) {
        case FTT_SLEEP_POSTED:
            wait->chosen = true;
            return FTT_PARK_WOKEN;
        case FTT_SLEEP_TIMEOUT:
            return FTT_PARK_TIMEOUT;
        case FTT_SLEEP_SIGNAL:
            break;
        }
        if (!place->stay) {
            return ftt_run_handlers() < 0 ? FTT_PARK_ERROR : FTT_PARK_SIGNAL;
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
