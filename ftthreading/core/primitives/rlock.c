/* RLock: the way in when another thread has it (state table in rlock.h). */

#include "rlock.h"

ftt_outcome
ftt_rlock_acquire_asleep(ftt_rlock *rlock, int64_t timeout)
{
    ftt_wait wait;
    if (ftt_wait_begin(&wait, timeout) < 0) {
        return FTT_FAILED;
    }
    /* Handlers may have run in ftt_wait_begin() too, so ownership is tested first. */
    ftt_outcome outcome = FTT_HANDLED;
    while (outcome == FTT_HANDLED) {
        if (ftt_rlock_is_owned(rlock)) {
            ftt_rlock_set_count(rlock, ftt_rlock_count(rlock) + 1);
            outcome = FTT_ACQUIRED;
            break;
        }
        outcome = ftt_lock_wait(&rlock->lock, &wait);
        if (outcome == FTT_ACQUIRED) {
            ftt_rlock_own(rlock, 1);
        }
    }
    ftt_wait_end(&wait);
    return outcome;
}
