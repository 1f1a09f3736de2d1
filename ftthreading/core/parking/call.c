/* How a blocking call is written down, and taken back (see call.h). */

#include <sched.h>

#include "blocking.h"
#include "call.h"

void
ftt_call_begin(ftt_call *call, ftt_keeper keeper, unsigned long ident, ftt_time began,
               ftt_time until, bool reacquires)
{
    call->object = keeper.object;
    call->home = keeper.home;
    call->ident = ident;
    call->began = began;
    atomic_store_explicit(&call->until, until, memory_order_relaxed);
    atomic_store_explicit(&call->reacquires, reacquires, memory_order_relaxed);
    /* Not a store: a reader that has come too early may be about to take READER back. */
    atomic_fetch_or_explicit(&call->state, FTT_CALL_LIVE, memory_order_release);
}

void
ftt_call_end(ftt_call *call)
{
    uint32_t seen = atomic_fetch_and_explicit(&call->state, ~FTT_CALL_LIVE, memory_order_acquire);
    if ((seen & ~FTT_CALL_LIVE) != 0) {
        void *detached = ftt_detach();
        while (atomic_load_explicit(&call->state, memory_order_acquire) != 0) {
            sched_yield();
        }
        ftt_attach(detached);
    }
    void *late = atomic_load_explicit(&call->thrown, memory_order_relaxed);
    if (late != NULL) {
        atomic_store_explicit(&call->thrown, NULL, memory_order_relaxed);
        ftt_drop(late);
    }
}
