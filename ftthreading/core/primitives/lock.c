/* Lock: one word, one queue, one awake contender.

   bit      set means                                    set by            cleared by
   LOCKED   somebody owns the lock                       the new owner     release
   PARKED   the queue of this word may hold waiters      a parking waiter  release, when it
            (stale after a timeout: then release finds                     empties the queue
            an empty queue and clears it)
   AWAKE    one thread has been woken for the lock, and  release, when it  that thread, when
            has neither got it nor parked again.         wakes that        it gets the lock
            Release need not wake another.               thread            or parks

   All eight combinations occur.  Transitions:

     acquire   LOCKED clear -> set, whoever waits (barging: a running thread uses the lock
               sooner than one that first has to wake up).  Clears AWAKE if it is ours.
     back off  nothing (backoff.c).
     park      under the bucket lock and only while LOCKED: PARKED -> set, AWAKE -> clear if
               it is ours, and the waiter joins the queue.
     release   AWAKE or not PARKED: LOCKED -> clear, no more.
               Otherwise, under the bucket lock, the oldest waiter is taken off the queue
               and either woken to contend (LOCKED -> clear, AWAKE -> set on its behalf) or,
               when it has waited for over a millisecond, handed the lock (LOCKED stays).

   No wake-up is lost.  A waiter in the queue relies on this: whenever the lock becomes free
   with PARKED set, somebody who is awake is bound to look at it.  Release establishes it by
   waking a waiter, or finds it true because AWAKE is set.  The thread behind AWAKE either
   gets the lock, and then its own release is the next to look; or parks, which clears AWAKE
   only in a step that finds LOCKED still set, so the owner's release comes later and sees
   PARKED without AWAKE.  Between setting and clearing AWAKE a thread runs no Python code,
   takes no signal handler and cannot time out, so it cannot leave in any other way; the
   child of a fork clears the bits of threads that it does not have (thread.c), and after
   finalization has begun, when a woken daemon thread does not come back, no thread waits
   for a lock any more (blocking.c).

   A wake-up is a system call and a switch, while the lock is usually taken again before the
   woken thread runs.  With one awake contender at a time a busy lock pays this once for
   many releases.  The price is that a waiter can lose to bargers, so a lock is handed over
   to the oldest waiter when that one has waited a millisecond, at most once a millisecond a
   lock: nobody starves, and a lock with short critical sections and many waiters does not
   degrade into a context switch for each.  Hand-over stops at finalization, when the
   receiver may never run.

   Who releases need not be who acquired, so two threads may release at once.  Release clears
   LOCKED by compare-and-swap on every path: only one of them finds it set.

   Orders.  Whatever a thread does before release() happens before what another does that takes
   the lock or sees it unlocked: clearing LOCKED releases; taking it acquires, and so does a
   look by locked().  A hand-over does not touch LOCKED; there the critical section is published
   by posting the sleeper (os.h), which was chosen under the bucket lock.  Neither a failed
   acquire nor locked() that is true orders anything.

   The word is written by read-modify-writes only, and each decision that leaves something to
   others stands in one of them: park's, which finds LOCKED set, and release's, which finds AWAKE
   set or PARKED clear.  They have one order on any processor, so of a release and a park one
   sees the other, and looks without order serve to choose what to try.  What a waiter is, and
   that it is linked, is passed on by the bucket lock, which release takes if it sees PARKED.

   A claim is told before its AWAKE can be seen (the step that sets AWAKE releases) and taken
   back after AWAKE is gone (the store that takes it back releases): whatever moment of this
   memory the child of a fork gets, an AWAKE in it has its claim. */

#include <stddef.h>

#include "handoff.h"
#include "lock.h"
#include "parking/profiling.h"

typedef struct {
    ftt_lock *lock;
    ftt_wait *wait;
    bool awake; /* the AWAKE bit is ours */
} contender;

static void
claim(ftt_waiter *self, ftt_word *word)
{
    atomic_store_explicit(&self->claim, word, memory_order_release);
}

/* Takes the lock if it is free or, for one who was woken, becomes free while it stays awake. */
static bool
contend(contender *me)
{
    ftt_lock *lock = me->lock;
    uint32_t seen = ftt_load(&lock->word);
    ftt_awake awake = {0};
    if (me->awake) {
        awake = ftt_awake_begin(ftt_budget_of_newcomer(), me->wait->deadline);
    }
    for (;;) {
        if ((seen & FTT_LOCKED) == 0) {
            uint32_t taken = (seen | FTT_LOCKED) & ~(me->awake ? FTT_AWAKE : 0u);
            if (ftt_cas(&lock->word, &seen, taken, memory_order_acquire)) {
                ftt_lock_forget(lock);
                claim(me->wait->waiter, NULL);
                return true;
            }
            continue;
        }
        if (!ftt_awake_pause(&awake) && !ftt_awake_yield(&awake)) {
            return false;
        }
        seen = ftt_load(&lock->word);
    }
}

/* Under the bucket lock: the last look before joining the queue. */
static bool
still_locked(void *argument)
{
    contender *me = argument;
    uint32_t seen = ftt_load(&me->lock->word);
    uint32_t parked;
    do {
        if ((seen & FTT_LOCKED) == 0) {
            return false;
        }
        parked = (seen | FTT_PARKED) & ~(me->awake ? FTT_AWAKE : 0u);
    } while (!ftt_cas(&me->lock->word, &seen, parked, memory_order_relaxed));
    me->awake = false;
    claim(me->wait->waiter, NULL);
    return true;
}

ftt_outcome
ftt_lock_wait(ftt_lock *lock, ftt_wait *wait)
{
    contender me = {lock, wait, false};
    const ftt_place place = {.key = &lock->word,
                             .validate = still_locked,
                             .argument = &me,
                             .pace = &lock->pace,
                             .spun = true};
    while (!contend(&me)) {
        switch (ftt_park(wait, &place)) {
        case FTT_PARK_WOKEN:
            if (wait->waiter->token == FTT_TOKEN_HANDOFF) {
                return FTT_ACQUIRED;
            }
            me.awake = wait->waiter->token == FTT_TOKEN_WAKE;
            break;
        case FTT_PARK_REFUSED:
            break;
        case FTT_PARK_TIMEOUT:
            return FTT_TIMED_OUT;
        case FTT_PARK_SIGNAL:
            return FTT_HANDLED;
        case FTT_PARK_ERROR:
            return FTT_FAILED;
        }
    }
    return FTT_ACQUIRED;
}

bool
ftt_lock_reacquire(ftt_lock *lock, ftt_wait *wait,
                   bool (*owned)(const void *), const void *argument, ftt_aside *aside)
{
    bool give_up = false;
    int64_t forever = -1;
    if (owned == NULL || !owned(argument)) {
        bool had = ftt_lock_try(lock);
        if (!had) {
            if (ftt_profiles()) {
                ftt_this_thread.reacquires = ftt_now();
            }
            had = ftt_lock_back_off(lock, &forever);
        }
        if (had) {
            ftt_lock_forget(lock);
            return true;
        }
    }
    wait->deadline = FTT_FOREVER;
    ftt_call_reacquires(&wait->waiter->call);
    while (owned == NULL || !owned(argument)) {
        if (give_up) {
            return false; /* in no queue, and without a token: nobody counts on us */
        }
        ftt_outcome outcome = ftt_lock_wait(lock, wait);
        if (outcome == FTT_ACQUIRED) {
            return true;
        }
        give_up = outcome == FTT_FAILED && ftt_set_aside_or_give_up(aside);
    }
    return true;
}

ftt_outcome
ftt_lock_acquire_asleep(ftt_lock *lock, int64_t timeout)
{
    ftt_wait wait;
    if (ftt_wait_begin(&wait, timeout) < 0) {
        return FTT_FAILED;
    }
    ftt_outcome outcome;
    do {
        outcome = ftt_lock_wait(lock, &wait);
    } while (outcome == FTT_HANDLED);
    ftt_wait_end(&wait);
    return outcome;
}

typedef struct {
    ftt_lock *lock;
    bool was_locked;
    ftt_blame blame;
} releaser;

/* Under the bucket lock. */
static uint32_t
choose(void *argument, ftt_waiter *oldest, bool more)
{
    releaser *me = argument;
    ftt_word *word = &me->lock->word;
    uint32_t seen = ftt_load(word), next, token;
    ftt_time now = ftt_now();
    bool due = oldest != NULL && ftt_handoff_due(me->lock->last_handoff, oldest->since, now);
    do {
        me->was_locked = (seen & FTT_LOCKED) != 0;
        if (!me->was_locked) {
            return 0;
        }
        uint32_t queue = more ? FTT_PARKED : 0u;
        if (oldest == NULL) {
            token = 0;
            next = seen & FTT_AWAKE;
        }
        else if ((seen & FTT_AWAKE) != 0) {
            token = 0;
            next = seen & ~FTT_LOCKED;
        }
        else if (due) {
            token = FTT_TOKEN_HANDOFF;
            next = FTT_LOCKED | queue;
        }
        else {
            token = FTT_TOKEN_WAKE;
            next = FTT_AWAKE | queue;
            claim(oldest, word);
        }
    } while (!ftt_cas(word, &seen, next, memory_order_release));
    if (token == FTT_TOKEN_HANDOFF) {
        me->lock->last_handoff = ftt_handoff_stamp(now);
    }
    if (token != 0 && ftt_profiles()) {
        me->blame = ftt_charge(oldest, word, now);
    }
    return token;
}

bool
ftt_lock_release_slow(ftt_lock *lock)
{
    uint32_t seen = ftt_load(&lock->word);
    if ((seen & FTT_LOCKED) != 0) {
        ftt_lock_forget(lock);
    }
    while ((seen & FTT_LOCKED) != 0 && ((seen & FTT_AWAKE) != 0 || (seen & FTT_PARKED) == 0)) {
        if (ftt_cas(&lock->word, &seen, seen & ~FTT_LOCKED, memory_order_release)) {
            return true;
        }
    }
    if ((seen & FTT_LOCKED) == 0) {
        return false;
    }
    releaser me = {lock, false, {0, 0}};
    ftt_unpark_one(&lock->word, choose, &me);
    if (me.blame.waited > 0) {
        ftt_blame_me(lock, me.blame);
    }
    return me.was_locked;
}
