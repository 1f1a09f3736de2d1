/* A blocking call as other threads see it: on what it waits, since when, and until when.

   The waiting thread writes it down before it first sleeps, in its waiter, and takes it back when
   the call ends.  Another thread may look at any time and never makes it wait for long:

     state      LIVE and, in steps of READER, how many look at this moment
     0          no call, or one that is being written down
     LIVE       written down; `object` is kept alive by the caller

   A reader adds READER and goes on only if LIVE was set; what it then sees stands until it has
   taken READER back, for the call's end clears LIVE and waits for the readers.  They need some
   instructions for a copy and a reference of their own to the object, or some microseconds to
   copy the thread's stack, which stands still meanwhile, too.  No reader may run code of Python
   between: a signal handler, or a finalizer, could wait for the very thread, or fork.  A reader may
   be stopped for a garbage collection, as the end of the call waits detached.

   A fork leaves the readers behind, and whoever was about to throw something.

   Orders: LIVE is set with release and found with acquire, so a reader sees what was written
   before; READER is taken back with release, and the end waits with acquire, so a reader's look
   is over before the object may be freed.  `until` and `reacquires` change during the call, and
   are advice.

   An exception can be thrown into a call (ftt_waiter_throw): it is left in `thrown`, the sleeper is
   interrupted, and its thread raises it where it would run signal handlers.  Not while it
   reacquires: it would come out of a Condition's wait without the lock, or with it and too late. */

#ifndef FTT_CALL_H
#define FTT_CALL_H

#include "os/os.h"

#define FTT_CALL_LIVE 1u
#define FTT_CALL_READER 2u

typedef struct {
    ftt_word state;
    _Atomic bool reacquires; /* has ended, but for the lock that it wants back */
    void *object;            /* on which the program called; NULL if it is not told */
    void *home;              /* the interpreter whose object it is */
    unsigned long ident;     /* of the thread, as threading.get_ident() */
    ftt_time began;
    _Atomic ftt_time until;
    _Atomic(void *) thrown;
} ftt_call;

/* By the waiting thread. */
typedef struct {
    void *object, *home;
} ftt_keeper;

void ftt_call_begin(ftt_call *call, ftt_keeper keeper, unsigned long ident, ftt_time began,
                    ftt_time until, bool reacquires);
void ftt_call_end(ftt_call *call);

static inline void
ftt_call_reacquires(ftt_call *call)
{
    atomic_store_explicit(&call->until, FTT_FOREVER, memory_order_relaxed);
    atomic_store_explicit(&call->reacquires, true, memory_order_relaxed);
}

/* By any thread.  After true, ftt_call_unread() must follow within a few instructions. */
static inline bool
ftt_call_read(ftt_call *call)
{
    uint32_t seen = atomic_fetch_add_explicit(&call->state, FTT_CALL_READER, memory_order_acquire);
    if ((seen & FTT_CALL_LIVE) == 0) {
        /* Nothing was looked at that the next call could change too early. */
        atomic_fetch_sub_explicit(&call->state, FTT_CALL_READER, memory_order_relaxed);
        return false;
    }
    return true;
}

static inline void
ftt_call_unread(ftt_call *call)
{
    atomic_fetch_sub_explicit(&call->state, FTT_CALL_READER, memory_order_release);
}

/* In the child of a fork: readers are gone; and so is the caller, unless it is this thread. */
static inline void
ftt_call_after_fork(ftt_call *call, bool mine)
{
    uint32_t live = mine ? ftt_load(&call->state) & FTT_CALL_LIVE : 0;
    atomic_store_explicit(&call->state, live, memory_order_relaxed);
    /* Thrown in the parent.  (Nobody here has the reference; it is lost.) */
    atomic_store_explicit(&call->thrown, NULL, memory_order_relaxed);
}

#endif
