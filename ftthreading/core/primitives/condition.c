/* Condition: waiting for a notification, and getting the lock back.

   A waiter joins the condition's queue while it holds the lock, and only then releases it;
   so whoever notifies under the lock finds it.  From there:

     notify(n)    the n oldest in the queue, under the bucket lock: each is told NOTIFIED, and
                  sees to the lock itself, without a limit
     timeout      the waiter leaves the queue; it was not notified, and as it is in no queue
                  any more, no notification can be spent on it
     signal       handlers run while the waiter stays queued: a notification that comes
                  meanwhile counts
     exception    of a handler: the waiter leaves the queue, takes the lock back, and raises.
                  If it had been notified, it passes the notification on: another waits for
                  what this one will not do.

   The wait ends with the lock: handlers that raise while the lock is awaited do so in vain
   until it is held; then the first of their exceptions is raised.  The one way out is for a
   person whose program hangs because the lock's holder never lets go: the second
   KeyboardInterrupt of a handler while the lock is awaited ends the wait without the lock.

   Those whom notify() wakes find the lock taken, as a rule by the notifier, and stay awake for
   it as any newcomer does (backoff.c).  To move them to the lock's queue instead, from where a
   release wakes one at a time, spares wake-ups, but each then waits for the one before to be
   awake: notify_all() to sixteen waiters took up to twice as long as threading's on 3.15.

   Whose lock it is: handlers may run as the wait begins, and release the lock that the caller
   was found to hold.  So it is looked at again after them; from there to the release this
   thread runs no Python, so an RLock that is its own stays so.  (Any thread may release a
   Lock, at any moment.  The one that does so between our look and our release has done our
   part, and the wait goes on as if we had.)

   Orders.  `waiters` is changed under the bucket lock and read without it, as a snapshot, by
   notify() and by those who ask for the number.

     notify() that finds none   must not miss one that it should wake.  Who joined before the
                  notifier took the lock wrote `waiters` before it released the lock, which
                  happens before the notifier's look; so that one reads this value or a later
                  one.  A later one that is 0 means that the waiter has left or been told.
                  Who passes a notification on without the lock has got it from a notifier
                  that held it, by the waiter's post or under a bucket lock, and sees at least
                  what that one saw.
     a wait() that was notified sees all that came before the notify(): by the post of its
                  sleeper, and by the lock anyway.
     a number read, by whoever: written with release, read with acquire.  So what a waiter did
                  before wait() happens before what a thread does that sees it counted, and
                  what came before notify() before what one does that sees fewer.

   After a fork the number may be too high in the child; notify() counts again. */

#include "condition.h"

enum { TOKEN_NOTIFIED = 3 };

static void
add(ftt_condition *condition, uint32_t difference)
{
    atomic_store_explicit(&condition->waiters, ftt_load(&condition->waiters) + difference,
                          memory_order_release);
}

static bool
join(void *argument)
{
    add(argument, 1);
    return true;
}

static bool
leave(void *argument, bool timeout)
{
    (void)timeout;
    add(argument, (uint32_t)-1);
    return true;
}

static ftt_place
place_in(ftt_condition *condition)
{
    return (ftt_place){.key = condition,
                       .validate = join,
                       .leave = leave,
                       .argument = condition,
                       .pace = &condition->pace,
                       .stay = true};
}

typedef struct {
    ftt_condition *condition;
    uint64_t count;
    uint32_t notified;
} notifier;

static uint32_t
notify_one(void *argument, ftt_waiter *waiter)
{
    notifier *me = argument;
    if (me->count == 0) {
        return FTT_STOP;
    }
    me->count--;
    me->notified++;
    (void)waiter;
    return TOKEN_NOTIFIED;
}

static void
recount(void *argument, uint32_t left)
{
    notifier *me = argument;
    atomic_store_explicit(&me->condition->waiters, left, memory_order_release);
}

uint32_t
ftt_condition_notify_slow(ftt_condition *condition, uint64_t count)
{
    notifier me = {condition, count, 0};
    const ftt_filter filter = {
        .key = condition,
        .filter = notify_one,
        .finish = recount,
        .argument = &me,
    };
    ftt_unpark_filter(&filter);
    return me.notified;
}

static bool
owned_by_me(const void *rlock)
{
    return ftt_rlock_is_owned(rlock);
}

/* Takes the lock back, if it can be had; what a handler that kept the RLock added to its count
   stays. */
static void
take_back(ftt_monitor monitor, ftt_wait *wait, unsigned long count, bool with, ftt_aside *aside)
{
    wait->waiter->since = ftt_now();
    wait->waiter->charged = wait->waiter->since;
    wait->returning = false;
    if (monitor.rlock == NULL) {
        if (ftt_lock_reacquire(monitor.lock, wait, NULL, NULL, aside)) {
            ftt_lock_note(monitor.lock, with);
        }
        return;
    }
    if (!ftt_lock_reacquire(monitor.lock, wait, owned_by_me, monitor.rlock, aside)) {
        return;
    }
    if (ftt_rlock_is_owned(monitor.rlock)) {
        ftt_rlock_set_count(monitor.rlock, ftt_rlock_count(monitor.rlock) + count);
    }
    else {
        ftt_rlock_own(monitor.rlock, count);
    }
}

ftt_outcome
ftt_condition_wait(ftt_condition *condition, ftt_monitor monitor, int64_t timeout)
{
    ftt_wait wait;
    if (ftt_wait_begin(&wait, timeout) < 0) {
        return FTT_FAILED;
    }
    if (!(monitor.rlock != NULL ? owned_by_me(monitor.rlock) : ftt_lock_locked(monitor.lock))) {
        ftt_wait_end(&wait);
        return FTT_HANDLED;
    }
    const ftt_place place = place_in(condition);
    ftt_park_join(&wait, &place);
    unsigned long count = 0;
    bool with = (ftt_load(&monitor.lock->holder) & 1) != 0;
    if (monitor.rlock != NULL) {
        count = ftt_rlock_count(monitor.rlock);
        ftt_rlock_disown(monitor.rlock);
    }
    else {
        ftt_lock_release(monitor.lock);
    }
    ftt_aside aside = {0};
    if (ftt_park_sleep(&wait, &place) == FTT_PARK_ERROR) {
        ftt_set_aside(&aside);
    }
    bool notified = wait.chosen;
    take_back(monitor, &wait, count, with, &aside);
    ftt_wait_end(&wait);
    if (aside.exception != NULL) {
        if (notified) {
            ftt_condition_notify(condition, 1);
        }
        ftt_raise_again(&aside);
        return FTT_FAILED;
    }
    return notified ? FTT_ACQUIRED : FTT_TIMED_OUT;
}

int
ftt_condition_begin(ftt_condition_turn *turn, ftt_condition *condition, int64_t timeout)
{
    turn->condition = condition;
    if (ftt_wait_begin(&turn->wait, timeout) < 0) {
        return -1;
    }
    const ftt_place place = place_in(condition);
    ftt_park_join(&turn->wait, &place);
    return 0;
}

ftt_outcome
ftt_condition_end(ftt_condition_turn *turn, bool sleep, bool *notified)
{
    const ftt_place place = place_in(turn->condition);
    ftt_outcome outcome = FTT_FAILED;
    if (sleep) {
        ftt_parked parked = ftt_park_sleep(&turn->wait, &place);
        outcome = parked == FTT_PARK_WOKEN     ? FTT_ACQUIRED
                  : parked == FTT_PARK_TIMEOUT ? FTT_TIMED_OUT
                                               : FTT_FAILED;
        *notified = turn->wait.chosen;
    }
    else {
        *notified = !ftt_park_leave(&turn->wait, &place);
    }
    ftt_wait_end(&turn->wait);
    return outcome;
}
