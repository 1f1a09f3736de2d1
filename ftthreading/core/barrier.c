/* Barrier: generations of parties under the lock of one bucket.

   All fields change under the bucket lock of the barrier's address.  Each waiter's ticket is
   the generation it arrived in; its token is final, so the next generation may fill while
   the threads of this one still wake up, and there is no drain phase.

     state               an arrival                         trip, abort, reset
     filling             waits; the last lets all go at     abort: BROKEN to all, broken set
     (count < parties)   once (TRIPPED and a number for     reset: BROKEN to all, next
                         each, next generation), or         generation, broken clear
                         begins tripping
     tripping            waits outside, for what comes      trip: TRIPPED, or BROKEN and broken
     (the last runs      of it                              set if the action failed; next
     the action)                                            generation.  abort, reset: as above;
                                                            the later trip finds another
                                                            generation and changes nothing
     broken              is told so                         reset: broken clear

   Outside waiters get RETRY whenever tripping ends, and arrive anew.  No lock is held while
   the action runs, so it may abort and reset.

   A waiter that times out breaks the barrier in the step in which it leaves; during tripping
   it may not leave but waits for the verdict, since all parties have come.  One whose signal
   handler raises leaves without breaking anything, as if it had not come. */

#include "barrier.h"
#include "testing.h"

enum { TOKEN_TRIPPED = 1, TOKEN_BROKEN = 2, TOKEN_RETRY = 3 };

#define OUTSIDE 0 /* the ticket of one that waits for tripping to end */

static void
set_count(ftt_barrier *barrier, int64_t count)
{
    atomic_store_explicit(&barrier->count, count, memory_order_relaxed);
}

static void
set_broken(ftt_barrier *barrier, bool broken)
{
    atomic_store_explicit(&barrier->broken, broken, memory_order_relaxed);
}

static void
next_generation(ftt_barrier *barrier)
{
    barrier->generation++;
    barrier->tripping = false;
    set_count(barrier, 0);
}

/* Under the bucket lock: whether the next arrival completes the generation. */
static bool
one_is_missing(const ftt_barrier *barrier)
{
    return !barrier->tripping && ftt_barrier_count(barrier) == barrier->parties - 1;
}

typedef struct {
    ftt_barrier *barrier;
    ftt_waiter *self;
    ftt_arrival *arrival;
} visitor;

/* Under the bucket lock: queue, unless it is broken or this is the last. */
static bool
arrive(void *argument)
{
    visitor *me = argument;
    ftt_barrier *barrier = me->barrier;
    FTT_WINDOW();
    if (ftt_barrier_broken(barrier) || one_is_missing(barrier)) {
        return false;
    }
    if (barrier->tripping) {
        me->self->ticket = OUTSIDE;
        return true;
    }
    me->self->ticket = me->arrival->generation = barrier->generation;
    set_count(barrier, ftt_barrier_count(barrier) + 1);
    return true;
}

static bool
leave(void *argument, bool timeout)
{
    visitor *me = argument;
    ftt_barrier *barrier = me->barrier;
    if (me->self->ticket != barrier->generation) {
        return true;
    }
    if (barrier->tripping) {
        return false;
    }
    set_count(barrier, ftt_barrier_count(barrier) - 1);
    set_broken(barrier, timeout || ftt_barrier_broken(barrier));
    return true;
}

/* Ends a generation: each of its waiters gets `token`, and its number in its ticket.  (A
   number given on arrival would be given twice if somebody left in between.) */
typedef struct {
    ftt_barrier *barrier;
    uint64_t generation; /* the one meant; 0 for whichever it is */
    uint32_t token;
    bool completes; /* a last arrival without action: only if it is the last */
    bool broken;    /* afterwards */
    bool done;
    uint64_t passed;
} ending;

static bool
end_is_due(void *argument)
{
    ending *me = argument;
    ftt_barrier *barrier = me->barrier;
    if (me->completes) {
        me->done = !ftt_barrier_broken(barrier) && one_is_missing(barrier);
        me->generation = barrier->generation;
        return me->done;
    }
    me->done = me->generation == 0 || me->generation == barrier->generation;
    return me->done;
}

static uint32_t
end_of_wait(void *argument, ftt_waiter *waiter)
{
    ending *me = argument;
    if (waiter->ticket == me->barrier->generation) {
        waiter->ticket = me->passed++;
        return me->token;
    }
    return waiter->ticket == OUTSIDE ? TOKEN_RETRY : FTT_STAY;
}

static void
end_generation(void *argument, uint32_t left)
{
    ending *me = argument;
    (void)left;
    next_generation(me->barrier);
    set_broken(me->barrier, me->broken);
}

static bool
end(ending *how)
{
    const ftt_visit visit = {.key = how->barrier,
                             .start = end_is_due,
                             .visit = end_of_wait,
                             .finish = end_generation,
                             .argument = how};
    ftt_unpark_visit(&visit);
    return how->done;
}

bool
ftt_barrier_trip(ftt_barrier *barrier, uint64_t generation, bool succeeded)
{
    ending how = {.barrier = barrier,
                  .generation = generation,
                  .token = succeeded ? TOKEN_TRIPPED : TOKEN_BROKEN,
                  .broken = !succeeded};
    return end(&how);
}

static void
break_generation(ftt_barrier *barrier, uint64_t generation)
{
    ending how = {.barrier = barrier,
                  .generation = generation,
                  .token = TOKEN_BROKEN,
                  .broken = true};
    end(&how);
}

void
ftt_barrier_abort(ftt_barrier *barrier)
{
    break_generation(barrier, 0);
}

void
ftt_barrier_reset(ftt_barrier *barrier)
{
    ending how = {.barrier = barrier, .token = TOKEN_BROKEN};
    end(&how);
}

static void
begin_tripping(void *argument)
{
    visitor *me = argument;
    ftt_barrier *barrier = me->barrier;
    if (!ftt_barrier_broken(barrier) && one_is_missing(barrier)) {
        me->arrival->generation = barrier->generation;
        barrier->tripping = true;
        set_count(barrier, barrier->parties);
    }
}

/* After arrive() refused: this may be the last.  FTT_BARRIER_FAILED: not so, arrive anew. */
static ftt_barrier_end
arrive_last(visitor *me, bool has_action)
{
    ftt_barrier *barrier = me->barrier;
    me->arrival->index = barrier->parties - 1;
    if (!has_action) {
        ending how = {.barrier = barrier, .token = TOKEN_TRIPPED, .completes = true};
        if (end(&how)) {
            return FTT_BARRIER_PASSED;
        }
    }
    else {
        me->arrival->generation = 0;
        ftt_park_locked(barrier, begin_tripping, me);
        if (me->arrival->generation != 0) {
            return FTT_BARRIER_LAST;
        }
    }
    return ftt_barrier_broken(barrier) ? FTT_BARRIER_BROKEN : FTT_BARRIER_FAILED;
}

static ftt_barrier_end
wait_with(ftt_barrier *barrier, ftt_wait *wait, bool has_action, ftt_arrival *arrival)
{
    visitor me = {barrier, wait->waiter, arrival};
    const ftt_place place = {.key = barrier,
                             .still = arrive,
                             .leave = leave,
                             .argument = &me,
                             .spin = &barrier->spin,
                             .stay = true};
    for (;;) {
        ftt_barrier_end last;
        switch (ftt_park(wait, &place)) {
        case FTT_PARK_WOKEN:
            if (wait->waiter->token == TOKEN_TRIPPED) {
                arrival->index = (int64_t)wait->waiter->ticket;
                return FTT_BARRIER_PASSED;
            }
            if (wait->waiter->token == TOKEN_BROKEN) {
                return FTT_BARRIER_BROKEN;
            }
            break; /* RETRY */
        case FTT_PARK_REFUSED:
            last = arrive_last(&me, has_action);
            if (last != FTT_BARRIER_FAILED) {
                return last;
            }
            break;
        case FTT_PARK_TIMEOUT:
            /* leave() has broken it; tell the others, unless a reset did.  (One that timed
               out outside breaks whatever generation it would have joined.) */
            break_generation(barrier, wait->waiter->ticket);
            return FTT_BARRIER_BROKEN;
        case FTT_PARK_SIGNAL: /* nobody moves waiters of a barrier */
        case FTT_PARK_ERROR:
            return FTT_BARRIER_FAILED;
        }
    }
}

ftt_barrier_end
ftt_barrier_wait(ftt_barrier *barrier, int64_t timeout, bool has_action, ftt_arrival *arrival)
{
    if (ftt_barrier_broken(barrier)) {
        return FTT_BARRIER_BROKEN;
    }
    ftt_wait wait;
    if (ftt_wait_begin(&wait, timeout) < 0) {
        return FTT_BARRIER_FAILED;
    }
    ftt_barrier_end result = wait_with(barrier, &wait, has_action, arrival);
    ftt_wait_end(&wait);
    return result;
}
