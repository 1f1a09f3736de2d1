/* Semaphore: a counter, one queue, one awake contender.

   part     means                                       set by             cleared by
   number   permits that nobody has                     release adds       acquire subtracts
   WAITERS  the queue may hold waiters (stale after a   a parking waiter   release or wake_next(),
            timeout: the next release clears it)                           when it empties the
                                                                           queue
   AWAKE    one thread has been woken for a permit,     whoever wakes      that thread, when
            and has neither got it nor parked again     it                 it gets a permit or
                                                                           parks

   FOREIGN  the program has taken the semaphore's    ftt_semaphore_    nobody
            condition: the interpreter's algorithm   give_up()
            runs, on the number and that

   The lock (lock.c) is this with one permit; bargers, AWAKE and hand-over are as there.  What
   more than one permit adds:

   No wake-up is lost.  A waiter relies on this: whenever there are permits while WAITERS is
   set, somebody awake is bound to look.  Release establishes it by waking one, unless AWAKE
   says that one is up.  That one clears AWAKE when it takes a permit, and if others are left
   then, wakes the next (wake_next()); or when it parks, in a step that finds no permit.  So
   release(n) wakes a chain, each link as soon as the one before has run.  A permit handed
   over leaves the others it came with to wake_next(), too.

   A permit is never lost: it is in the number, or in a token on the way to one waiter who is
   in no queue any more and whose timeout or signal comes too late (park.c).  Handlers run
   while the waiter is in no queue, so no permit goes to one who is about to raise.

   FOREIGN is the sign, which makes the state less than a permit: every step here that takes or
   gives one fails, in the same compare-and-swap that would have done it.  Setting it empties
   the queue, under the bucket lock.  No wake-up is lost: who was in the queue is told, who was
   about to join it finds FOREIGN, and both go on with the interpreter's algorithm, which looks
   at the number under the condition's lock before it waits.  Only threads that hold that
   lock change the number then.

   Orders, and claims, as for the lock: whatever a thread does before release() happens before
   what another does that takes a permit or sees the number that it left.  A permit has no name,
   so it is before all acquires that come after in the order of the state's writes: these are
   read-modify-writes only, and each carries on the releases before it.  A permit that is handed
   over is published by posting the sleeper.

   wake_next() looks without order, and misses nothing: it comes after a step of its own thread, at
   which AWAKE went or permits came.  Who gave a permit before that step is seen by it, as its
   WAITERS are; who gives one after it finds no AWAKE and wakes somebody itself; and who parks
   after it has found no permit. */

#include "handoff.h"
#include "parking/profiling.h"
#include "semaphore.h"

enum {
    WAITERS = FTT_SEMAPHORE_WAITERS,
    AWAKE = FTT_SEMAPHORE_AWAKE,
    PERMIT = FTT_SEMAPHORE_PERMIT,
};

typedef struct {
    ftt_semaphore *semaphore;
    ftt_wait *wait;
    bool awake; /* the AWAKE bit is ours */
} contender;

static void
claim(ftt_waiter *self, ftt_long *state)
{
    atomic_store_explicit(&self->long_claim, state, memory_order_release);
}

static int64_t
load(ftt_semaphore *semaphore)
{
    return atomic_load_explicit(&semaphore->state, memory_order_relaxed);
}

/* Under the bucket lock: wakes the oldest if there is a permit for it. */
static uint32_t
choose_next(void *argument, ftt_waiter *oldest, bool more)
{
    ftt_semaphore *semaphore = argument;
    int64_t seen = load(semaphore), next;
    do {
        if ((seen & AWAKE) != 0 || seen < 0 || (oldest != NULL && seen < PERMIT)) {
            return 0;
        }
        next = more ? seen : seen & ~(int64_t)WAITERS;
        if (oldest != NULL) {
            next |= AWAKE;
            claim(oldest, &semaphore->state);
        }
    } while (!ftt_long_cas(&semaphore->state, &seen, next, memory_order_release));
    return oldest == NULL ? 0 : FTT_TOKEN_WAKE;
}

static void
wake_next(ftt_semaphore *semaphore)
{
    int64_t seen = load(semaphore);
    if ((seen & WAITERS) != 0 && (seen & AWAKE) == 0 && seen >= PERMIT) {
        ftt_unpark_one(semaphore, choose_next, semaphore);
    }
}

/* Takes a permit if there is one, or comes one while it stays awake. */
static bool
contend(contender *me)
{
    ftt_semaphore *semaphore = me->semaphore;
    ftt_awake awake = {0};
    if (me->awake || !ftt_only_looks(me->wait)) {
        awake = ftt_awake_begin(ftt_budget_of_newcomer(), me->wait->deadline);
    }
    int64_t seen = load(semaphore);
    for (;;) {
        if (seen >= PERMIT) {
            int64_t taken = (seen - PERMIT) & ~(int64_t)(me->awake ? AWAKE : 0);
            if (ftt_long_cas(&semaphore->state, &seen, taken, memory_order_acquire)) {
                claim(me->wait->waiter, NULL);
                return true;
            }
            continue;
        }
        if (seen < 0 || (!me->awake && (seen & (WAITERS | AWAKE)) != 0) ||
            (!ftt_awake_pause(&awake) && !ftt_awake_yield(&awake))) {
            return false;
        }
        seen = load(semaphore);
    }
}

/* Under the bucket lock: the last look before joining the queue. */
static bool
still_empty(void *argument)
{
    contender *me = argument;
    ftt_long *state = &me->semaphore->state;
    int64_t seen = load(me->semaphore), waiting;
    do {
        if (seen >= PERMIT || seen < 0) {
            return false;
        }
        waiting = (seen | WAITERS) & ~(int64_t)(me->awake ? AWAKE : 0);
    } while (!ftt_long_cas(state, &seen, waiting, memory_order_relaxed));
    me->awake = false;
    claim(me->wait->waiter, NULL);
    return true;
}

/* The AWAKE bit means nothing to a foreign semaphore, but nobody's claim may stay. */
static void
give_back_awake(contender *me)
{
    if (me->awake) {
        atomic_fetch_and_explicit(&me->semaphore->state, ~(int64_t)AWAKE, memory_order_relaxed);
        claim(me->wait->waiter, NULL);
    }
}

static ftt_outcome
wait_for_permit(ftt_semaphore *semaphore, ftt_wait *wait)
{
    contender me = {semaphore, wait, false};
    const ftt_place place = {.key = semaphore,
                             .validate = still_empty,
                             .argument = &me,
                             .pace = &semaphore->pace,
                             .spun = true};
    while (!contend(&me)) {
        if (ftt_semaphore_is_foreign(semaphore)) {
            give_back_awake(&me);
            return FTT_FOREIGN;
        }
        switch (ftt_park(wait, &place)) {
        case FTT_PARK_WOKEN:
            if (wait->waiter->token == FTT_TOKEN_HANDOFF) {
                return FTT_ACQUIRED;
            }
            me.awake = wait->waiter->token == FTT_TOKEN_WAKE;
            break;
        case FTT_PARK_REFUSED:
        case FTT_PARK_SIGNAL:
            break;
        case FTT_PARK_TIMEOUT:
            return FTT_TIMED_OUT;
        case FTT_PARK_ERROR:
            return FTT_FAILED;
        }
    }
    return FTT_ACQUIRED;
}

ftt_outcome
ftt_semaphore_wait(ftt_semaphore *semaphore, int64_t timeout, ftt_time *deadline)
{
    if (timeout == 0) {
        return ftt_semaphore_is_foreign(semaphore) ? FTT_FOREIGN : FTT_TIMED_OUT;
    }
    ftt_wait wait;
    if (ftt_wait_begin(&wait, timeout) < 0) {
        return FTT_FAILED;
    }
    *deadline = wait.deadline;
    ftt_outcome outcome = wait_for_permit(semaphore, &wait);
    ftt_wait_end(&wait);
    if (outcome == FTT_ACQUIRED) {
        wake_next(semaphore);
    }
    return outcome;
}

typedef struct {
    ftt_semaphore *semaphore;
    int64_t count, limit;
    bool refused;
    ftt_blame blame;
} releaser;

/* Under the bucket lock. */
static uint32_t
choose(void *argument, ftt_waiter *oldest, bool more)
{
    releaser *me = argument;
    ftt_semaphore *semaphore = me->semaphore;
    int64_t seen = load(semaphore), next;
    uint32_t token;
    ftt_time now = ftt_now();
    bool due = oldest != NULL && ftt_handoff_due(semaphore->last_handoff, oldest->since, now);
    do {
        me->refused = seen < 0 || me->count > me->limit - seen / PERMIT;
        if (me->refused) {
            return 0;
        }
        int64_t queue = more ? seen : seen & ~(int64_t)WAITERS;
        if (oldest == NULL) {
            token = 0;
            next = queue + me->count * PERMIT;
        }
        else if ((seen & AWAKE) != 0) {
            token = 0;
            next = seen + me->count * PERMIT;
        }
        else if (due) {
            token = FTT_TOKEN_HANDOFF;
            next = queue + (me->count - 1) * PERMIT;
        }
        else {
            token = FTT_TOKEN_WAKE;
            next = (queue + me->count * PERMIT) | AWAKE;
            claim(oldest, &semaphore->state);
        }
    } while (!ftt_long_cas(&semaphore->state, &seen, next, memory_order_release));
    if (token == FTT_TOKEN_HANDOFF) {
        semaphore->last_handoff = ftt_handoff_stamp(now);
    }
    if (token != 0 && ftt_profiles()) {
        me->blame = ftt_charge(oldest, semaphore, now);
    }
    return token;
}

bool
ftt_semaphore_release_slow(ftt_semaphore *semaphore, int64_t count, int64_t limit)
{
    int64_t seen = load(semaphore);
    while ((seen & WAITERS) == 0 || (seen & AWAKE) != 0) {
        if (seen < 0 || count > limit - seen / PERMIT) {
            return false;
        }
        if (ftt_long_cas(&semaphore->state, &seen, seen + count * PERMIT, memory_order_release)) {
            return true;
        }
    }
    releaser me = {semaphore, count, limit, false, {0, 0}};
    ftt_unpark_one(semaphore, choose, &me);
    wake_next(semaphore);
    if (me.blame.waited > 0) {
        ftt_blame_me(semaphore, me.blame);
    }
    return !me.refused;
}

enum { TOKEN_FOREIGN = 8 }; /* none of handoff.h's */

static bool
turn_foreign(void *argument)
{
    ftt_semaphore *semaphore = argument;
    int64_t seen = load(semaphore);
    while (!ftt_long_cas(&semaphore->state, &seen,
                         (seen | FTT_SEMAPHORE_FOREIGN) & ~(int64_t)WAITERS,
                         memory_order_acq_rel)) {
    }
    return true;
}

static uint32_t
tell(void *argument, ftt_waiter *waiter)
{
    (void)argument, (void)waiter;
    return TOKEN_FOREIGN;
}

void
ftt_semaphore_give_up(ftt_semaphore *semaphore)
{
    const ftt_filter filter = {
        .key = semaphore, .start = turn_foreign, .filter = tell, .argument = semaphore};
    ftt_unpark_filter(&filter);
}

void
ftt_semaphore_put(ftt_semaphore *semaphore, int64_t permits)
{
    int64_t seen = load(semaphore);
    while (!ftt_long_cas(&semaphore->state, &seen,
                         permits * PERMIT | (seen & (FTT_SEMAPHORE_FOREIGN | WAITERS | AWAKE)),
                         memory_order_acq_rel)) {
    }
    wake_next(semaphore);
}
