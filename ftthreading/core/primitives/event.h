/* Event: a flag and the threads that wait for it.

   bit      set means                              set by               cleared by
   SET      the flag is true                       set()                clear()
   WAITERS  the queue may hold waiters (stale      a waiter that joins  set(), which empties
            after a timeout: harmless)             the queue            the queue

   FOREIGN  the program has taken the event's   ftt_event_give_up()  nobody
            condition: the interpreter's
            algorithm runs, on SET and that

   SET and WAITERS never stand together for longer than set() holds the bucket lock, and
   WAITERS and FOREIGN never.

     wait    SET: done.  Otherwise joins the queue under the bucket lock, after a last look
             at SET and in one step with setting WAITERS.
     set     no WAITERS: SET in one step, also if it was SET.  Otherwise, under the bucket
             lock: the word becomes SET and every waiter of this moment gets its token.
     clear   SET -> clear.
     give up FOREIGN, and every waiter of this moment is told so, under the bucket lock.  No
             wake-up is lost: a set() before that moment has woken those waiters itself, and
             one after it finds FOREIGN and notifies through the condition, where they look at
             SET again before they wait.

   Orders.  Whatever a thread does before set() happens before what another does that sees it:
   is_set() that is true, wait() that returns, and clear() that comes after.  For the last two
   it must hold also when set() finds the flag set already and changes nothing, or this loses
   an item between two threads that only ever look at each other's writes (store buffering):

       items.append(x)      event.clear()
       event.set()          if not items: event.wait()

   So both sides write the word, always: set() by a read-modify-write that releases, on a set
   flag too, clear() by one that acquires and releases.  The word is written by nothing else
   than read-modify-writes, which stand in one order, and each of which carries on the release
   of those before it.  There are two cases, then.  If set() comes first, clear() takes up what
   it released, and finds the item.  If clear() comes first, then the flag is set from set()
   on, until another clear(), for which the same is to be said: wait() finds it set, or queues
   by a read-modify-write that finds it clear and so comes before set(), which then sees
   WAITERS.  clear() releases for those who wait for a flag to become false by is_set().

   A token is published by the sleeper's post (os.h); a wait that times out orders nothing.

   set() releases exactly those who are queued at its one moment under the bucket lock.  A
   waiter's token stands even if clear() follows at once, and one who comes after clear()
   finds neither SET nor a token.  A waiter queues before it spends time awake, so that it
   cannot miss a set() that is followed by clear() while it looks away. */

#ifndef FTT_EVENT_H
#define FTT_EVENT_H

#include "parking/park.h"

enum { FTT_EVENT_SET = 1u, FTT_EVENT_WAITERS = 4u, FTT_EVENT_FOREIGN = 8u };

typedef struct {
    ftt_word word;
    ftt_pace pace;
} ftt_event;

static inline bool
ftt_event_is_set(const ftt_event *event)
{
    return (atomic_load_explicit(&event->word, memory_order_acquire) & FTT_EVENT_SET) != 0;
}

static inline bool
ftt_event_is_foreign(const ftt_event *event)
{
    return (atomic_load_explicit(&event->word, memory_order_acquire) & FTT_EVENT_FOREIGN) != 0;
}

/* For a flag that was not simply clear: `seen` is what was there. */
bool ftt_event_set_slow(ftt_event *event, uint32_t seen);

/* This and the next: false, and nothing done, if the event is foreign. */
static inline bool
ftt_event_set(ftt_event *event)
{
    uint32_t seen = 0;
    return ftt_cas(&event->word, &seen, FTT_EVENT_SET, memory_order_release) ||
           ftt_event_set_slow(event, seen);
}

static inline bool
ftt_event_clear(ftt_event *event)
{
    uint32_t seen = FTT_EVENT_SET;
    while (!ftt_cas(&event->word, &seen, seen & ~(uint32_t)FTT_EVENT_SET, memory_order_acq_rel)) {
        if ((seen & FTT_EVENT_FOREIGN) != 0) {
            return false;
        }
    }
    return true;
}

/* `timeout` in ns: negative waits forever, 0 only looks.  FTT_FOREIGN if the event is or turns
   foreign, with what is left of the wait in *deadline. */
ftt_outcome ftt_event_wait(ftt_event *event, int64_t timeout, ftt_time *deadline);

/* Makes it foreign. */
void ftt_event_give_up(ftt_event *event);

/* The flag of a foreign event, for the interpreter's algorithm. */
static inline void
ftt_event_put(ftt_event *event, bool flag)
{
    if (flag) {
        atomic_fetch_or_explicit(&event->word, FTT_EVENT_SET, memory_order_acq_rel);
    }
    else {
        atomic_fetch_and_explicit(&event->word, ~(uint32_t)FTT_EVENT_SET, memory_order_acq_rel);
    }
}

/* In the child of a fork: nobody waits; the flag stays. */
static inline void
ftt_event_reinit(ftt_event *event)
{
    atomic_fetch_and_explicit(&event->word, FTT_EVENT_SET | FTT_EVENT_FOREIGN,
                              memory_order_relaxed);
}

#endif
