/* Barrier: generations of parties under the lock of one bucket.

   Arrivals join the open generation.  The last of its parties closes it in the step in which
   it arrives, and the next is open from then on.  A closed generation is complete: it gets
   one verdict, and what happens in the open one does not touch it.  There is no drain phase
   either, for each waiter's ticket is its generation, and its token is final.

   Actions never run side by side.  Each closed generation has its turn, in order: one of it
   leads, runs the action while no lock is held, and ends the turn by the verdict.  The last
   to arrive leads at once if no turn is on.  Else it queues like the others, and whoever ends
   the turn before picks who leads: the last to arrive of those who are left, rather not one
   that runs signal handlers, as these may wait for that very crossing.

     of            open generation       closed, before its turn   closed, its action runs
     timeout       breaks this one:      waits on, without limit   (waits on)
                   BROKEN to it, broken
     exception     leaves, count one     leaves; if it leads,      leaves; of the action itself:
                   less                  another does              BROKEN to all, broken set
     abort         BROKEN to all, broken set: no action begins; the trip changes nothing
     reset         BROKEN to all, broken clear: as above; but a new generation that closes
                   before the action has returned has its turn after that
     trip          -                     first in line: its turn   TRIPPED and a number for each

   An arrival at a broken barrier is told so.  A closed generation passes all the same if the
   open one alone was broken, by a timeout.  "Exception" is one of a signal handler: whoever
   leaves by it has not come, but those with whom it was complete pass without it, and if all
   have left so, the turn goes by.  A timeout breaks the barrier as it leaves the queue, and
   then tells the others, unless abort() or reset() did in between.

   Who was picked may be gone before it is told, as picking and telling are two passes: then
   the next is picked.  Who was told may meet an exception before it returns, or find that
   abort() or reset() came first: then it passes the turn on.  `turn` stays set throughout, so
   that nobody starts meanwhile.  A reset leaves it set for the same reason.

   A program may take over the barrier's inside (_inside.py), and then it is foreign: nobody
   arrives here any more, and those who wait in the open generation are told to arrive anew,
   by the interpreter's algorithm.  Closed generations end as they would have.

   fork(): the leader may not exist in the child, so a turn that an ancestor gave counts for
   nothing there.  Of a leader that itself forks, inside the action, the trip in the child
   ends its turn unless a newer one is on.

   Memory order.  Every arrival, trip, abort, reset, also one that changes nothing, is a
   section under the bucket lock, and the sections are in one order in which each happens
   before the next.  So what a thread did before it happens before whatever is done after a
   later section: by a waiter released in it (the post releases, the end of the sleep
   acquires), by a later arrival, by a leader before its action, by all parties after it.
   `broken` and `waiting` are read without the lock: each store of them is a release inside a
   section, each read an acquire, so that whoever reads what a section wrote has all that came
   before that section and those before it.  Nobody reads one of them to find out about
   another word that is written without a section, so no store has to be ordered before a
   later load (no sequential consistency). */

#include "barrier.h"

enum { TOKEN_TRIPPED = 1, TOKEN_BROKEN = 2, TOKEN_LEAD = 3, TOKEN_FOREIGN = 4 };

/* All static functions down to ftt_barrier_trip() run under the bucket lock, or walk the queue. */

static bool
turn_is_on(const ftt_barrier *barrier)
{
    return barrier->turn != 0 && barrier->forks == ftt_forks;
}

static void
give_turn(ftt_barrier *barrier, uint64_t generation)
{
    barrier->turn = generation;
    barrier->forks = ftt_forks;
}

/* Ends each section that has changed something. */
static void
publish(ftt_barrier *barrier)
{
    bool acts = turn_is_on(barrier) && barrier->turn >= barrier->oldest;
    int64_t waiting = acts ? barrier->parties : barrier->count;
    atomic_store_explicit(&barrier->waiting, ftt_barrier_broken(barrier) ? 0 : waiting,
                          memory_order_release);
}

static void
set_broken(ftt_barrier *barrier, bool broken)
{
    atomic_store_explicit(&barrier->broken, broken, memory_order_release);
}

static void
open_next(ftt_barrier *barrier)
{
    barrier->generation++;
    barrier->count = 0;
}

typedef struct {
    ftt_barrier *barrier;
    ftt_waiter *self;
    ftt_arrival *arrival;
    bool leads;
} visitor;

/* Queues, unless the barrier is broken or this is the last and its turn has come. */
static bool
arrive(void *argument)
{
    visitor *me = argument;
    ftt_barrier *barrier = me->barrier;
    if (ftt_barrier_broken(barrier) || ftt_barrier_is_foreign(barrier)) {
        return false;
    }
    me->self->ticket = me->arrival->generation = barrier->generation;
    if (++barrier->count == barrier->parties) {
        open_next(barrier);
        me->leads = !turn_is_on(barrier);
        if (me->leads) {
            give_turn(barrier, me->arrival->generation);
        }
    }
    publish(barrier);
    return !me->leads;
}

static bool
leave(void *argument, bool timeout)
{
    visitor *me = argument;
    ftt_barrier *barrier = me->barrier;
    if (me->self->ticket != barrier->generation) {
        return !timeout; /* closed */
    }
    barrier->count--;
    if (timeout) {
        set_broken(barrier, true);
    }
    publish(barrier);
    return true;
}

/* Breaking: the generation that is meant, or all there are. */
typedef struct {
    ftt_barrier *barrier;
    uint64_t generation; /* 0 for all */
    bool broken;         /* afterwards */
    bool done;
} breaking;

static bool
break_is_due(void *argument)
{
    breaking *me = argument;
    me->done = !ftt_barrier_is_foreign(me->barrier) &&
               (me->generation == 0 || me->generation == me->barrier->generation);
    return me->done;
}

static uint32_t
break_waiter(void *argument, ftt_waiter *waiter)
{
    breaking *me = argument;
    return me->generation == 0 || waiter->ticket == me->generation ? TOKEN_BROKEN : FTT_STAY;
}

static void
end_break(void *argument, uint32_t left)
{
    breaking *me = argument;
    ftt_barrier *barrier = me->barrier;
    (void)left;
    open_next(barrier);
    if (me->generation == 0) {
        barrier->oldest = barrier->generation;
    }
    set_broken(barrier, me->broken);
    publish(barrier);
}

static bool
break_waiters(ftt_barrier *barrier, uint64_t generation, bool broken)
{
    breaking me = {barrier, generation, broken, false};
    const ftt_filter filter = {.key = barrier,
                             .start = break_is_due,
                             .filter = break_waiter,
                             .finish = end_break,
                             .argument = &me};
    ftt_unpark_filter(&filter);
    return me.done;
}

bool
ftt_barrier_abort(ftt_barrier *barrier)
{
    return break_waiters(barrier, 0, true);
}

bool
ftt_barrier_reset(ftt_barrier *barrier)
{
    return break_waiters(barrier, 0, false);
}

static uint32_t
tell_foreign(void *argument, ftt_waiter *waiter)
{
    ftt_barrier *barrier = argument;
    return waiter->ticket == barrier->generation ? TOKEN_FOREIGN : FTT_STAY;
}

static void
turn_foreign(void *argument, uint32_t left)
{
    ftt_barrier *barrier = argument;
    (void)left;
    atomic_store_explicit(&barrier->foreign, 1, memory_order_release);
    open_next(barrier);
    publish(barrier);
}

bool
ftt_barrier_give_up(ftt_barrier *barrier)
{
    const ftt_filter filter = {.key = barrier,
                             .filter = tell_foreign,
                             .finish = turn_foreign,
                             .argument = barrier};
    ftt_unpark_filter(&filter);
    return ftt_barrier_broken(barrier);
}

/* The end of a turn; PASSED_ON if another of the same generation is to lead. */
typedef enum { SUCCEEDED, FAILED, PASSED_ON } turn_end;

typedef struct {
    ftt_barrier *barrier;
    uint64_t generation;
    turn_end how;
    bool stands; /* no abort() or reset() has broken it */
    uint64_t numbers;
    ftt_waiter *next; /* who leads then, and of what generation */
    uint64_t next_generation;
    bool told;
} ending;

static bool
begin_end(void *argument)
{
    ending *me = argument;
    me->stands = me->generation >= me->barrier->oldest;
    me->next = NULL;
    return true;
}

static uint32_t
end_of_wait(void *argument, ftt_waiter *waiter)
{
    ending *me = argument;
    if (me->how == FAILED && me->stands) {
        return TOKEN_BROKEN;
    }
    if (me->how == SUCCEEDED && waiter->ticket == me->generation) {
        /* A number given on arrival would be given twice if somebody left in between. */
        waiter->ticket = me->numbers++;
        return TOKEN_TRIPPED;
    }
    /* The queue is in the order of arrival, so the first that is closed is the next. */
    if (waiter->ticket < me->barrier->generation &&
        (me->next == NULL || (waiter->ticket == me->next_generation && !waiter->busy))) {
        me->next = waiter;
        me->next_generation = waiter->ticket;
    }
    return FTT_STAY;
}

static void
finish_end(void *argument, uint32_t left)
{
    ending *me = argument;
    ftt_barrier *barrier = me->barrier;
    if (me->how == FAILED && me->stands) {
        breaking all = {barrier, 0, true, true};
        end_break(&all, left);
    }
    if (barrier->turn == me->generation) {
        give_turn(barrier, me->next != NULL ? me->next_generation : 0);
    }
    else {
        me->next = NULL;
    }
    publish(barrier);
}

static uint32_t
tell_next(void *argument, ftt_waiter *waiter)
{
    ending *me = argument;
    if (waiter != me->next || waiter->ticket != me->next_generation) {
        return FTT_STAY;
    }
    me->told = true;
    return TOKEN_LEAD;
}

/* False if it has left meanwhile. */
static bool
tell(ending *me)
{
    const ftt_filter filter = {.key = me->barrier, .filter = tell_next, .argument = me};
    ftt_unpark_filter(&filter);
    return me->told;
}

/* False if abort() or reset() has broken the generation. */
static bool
end_turn(ftt_barrier *barrier, uint64_t generation, turn_end how)
{
    ending me = {.barrier = barrier, .generation = generation, .how = how};
    const ftt_filter end = {.key = barrier,
                           .start = begin_end,
                           .filter = end_of_wait,
                           .finish = finish_end,
                           .argument = &me};
    ftt_unpark_filter(&end);
    bool stood = me.stands;
    while (me.next != NULL && !tell(&me)) {
        me.generation = me.next_generation;
        me.how = PASSED_ON;
        ftt_unpark_filter(&end);
    }
    return stood;
}

bool
ftt_barrier_trip(ftt_barrier *barrier, uint64_t generation, bool succeeded)
{
    return end_turn(barrier, generation, succeeded ? SUCCEEDED : FAILED);
}

static void
look_whether_broken(void *argument)
{
    visitor *me = argument;
    me->leads = me->arrival->generation >= me->barrier->oldest;
}

static ftt_barrier_end
woken(visitor *me)
{
    switch (me->self->token) {
    case TOKEN_TRIPPED:
        me->arrival->index = (int64_t)me->self->ticket;
        return FTT_BARRIER_PASSED;
    case TOKEN_LEAD:
        ftt_park_locked(me->barrier, look_whether_broken, me);
        if (me->leads) {
            return FTT_BARRIER_LEADS;
        }
        end_turn(me->barrier, me->arrival->generation, PASSED_ON);
        return FTT_BARRIER_BROKEN;
    case TOKEN_FOREIGN:
        return FTT_BARRIER_FOREIGN;
    default:
        return FTT_BARRIER_BROKEN;
    }
}

static ftt_barrier_end
wait_with(ftt_barrier *barrier, ftt_wait *wait, ftt_arrival *arrival)
{
    visitor me = {barrier, wait->waiter, arrival, false};
    const ftt_place place = {.key = barrier,
                             .validate = arrive,
                             .leave = leave,
                             .argument = &me,
                             .pace = &barrier->pace,
                             .stay = true};
    arrival->index = barrier->parties - 1;
    switch (ftt_park(wait, &place)) {
    case FTT_PARK_WOKEN:
        return woken(&me);
    case FTT_PARK_REFUSED:
        return me.leads                            ? FTT_BARRIER_LEADS
               : ftt_barrier_is_foreign(barrier) ? FTT_BARRIER_FOREIGN
                                                   : FTT_BARRIER_BROKEN;
    case FTT_PARK_TIMEOUT:
        break_waiters(barrier, arrival->generation, true);
        return FTT_BARRIER_BROKEN;
    default: /* an exception */
        if (wait->chosen && wait->waiter->token == TOKEN_LEAD) {
            end_turn(barrier, arrival->generation, PASSED_ON);
        }
        return FTT_BARRIER_FAILED;
    }
}

ftt_barrier_end
ftt_barrier_wait(ftt_barrier *barrier, int64_t timeout, ftt_arrival *arrival)
{
    if (ftt_barrier_broken(barrier) && !ftt_barrier_is_foreign(barrier)) {
        return FTT_BARRIER_BROKEN;
    }
    ftt_wait wait;
    if (ftt_wait_begin(&wait, timeout) < 0) {
        return FTT_BARRIER_FAILED;
    }
    arrival->deadline = wait.deadline;
    ftt_barrier_end result = wait_with(barrier, &wait, arrival);
    ftt_wait_end(&wait);
    return result;
}
