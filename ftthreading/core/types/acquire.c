/* Acquiring a lock that was found taken, for a method of a type: the waits that are contention, which
   is what the profile counts (profiling/profiling.h). */

#include "acquire.h"

#include "profiling/profiling.h"

ftt_outcome
ftt_lock_acquire_taken(PyObject *keeper, ftt_lock *lock, int64_t timeout)
{
    ftt_timing timing = ftt_timing_begin();
    ftt_outcome outcome = FTT_ACQUIRED;
    if (!ftt_lock_back_off(lock, &timeout)) {
        ftt_timing_sleeps(&timing);
        ftt_keep(keeper);
        outcome = ftt_lock_acquire_asleep(lock, timeout);
        ftt_let_go(keeper);
    }
    ftt_timing_end(&timing, FTT_CONTENDED, lock, keeper);
    return outcome;
}

ftt_outcome
ftt_rlock_acquire_taken(PyObject *keeper, ftt_rlock *rlock, int64_t timeout)
{
    ftt_timing timing = ftt_timing_begin();
    ftt_outcome outcome = FTT_ACQUIRED;
    if (ftt_lock_back_off(&rlock->lock, &timeout)) {
        ftt_rlock_own(rlock, 1);
    }
    else {
        ftt_timing_sleeps(&timing);
        ftt_keep(keeper);
        outcome = ftt_rlock_acquire_asleep(rlock, timeout);
        ftt_let_go(keeper);
    }
    ftt_timing_end(&timing, FTT_CONTENDED, &rlock->lock, keeper);
    return outcome;
}
