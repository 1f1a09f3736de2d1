/* Backing off: what a newcomer does first about a lock that another thread has.

   A taken lock may be on its way to us, or not, and the word does not say which:

     handed on     the owner releases it and goes to do, or to wait for, something else.  The
                   sooner we take it the better: a hand-over costs some hundred nanoseconds.
     taken again   the owner releases it and is back at once, in a loop.  Should we take it in
                   between, the two threads pass it to and fro at each call, and with it the
                   cache lines of whatever it guards; even our looks slow the owner down.  The
                   later we take it the better: meanwhile the owner does many calls.

   So a newcomer that need not yield its processor (policy.h) pauses without a look, at first for
   less time than a hand-over between users' lines of Python takes, and tries; then for twice as
   long.  From there on, and in a crowd at once, it yields, and takes the lock when it finds it
   free.  It does so past a queue, too: who runs already costs the one who releases nothing, and
   who has to be woken costs it a system call.  That nobody in the queue starves is due to
   hand-overs (lock.c).

   Nothing is promised to a thread that backs off, and nobody relies on it. */

#include "backoff.h"

static bool
taken_after(ftt_lock *lock, uint32_t pauses)
{
    ftt_pause_times(pauses);
    return ftt_lock_try(lock);
}

bool
ftt_lock_back_off(ftt_lock *lock, int64_t *timeout)
{
    ftt_awake awake = ftt_awake_begin(ftt_budget_of_newcomer(), FTT_FOREVER);
    if (*timeout > 0 && *timeout < FTT_FOREVER - awake.began) {
        awake.deadline = awake.began + *timeout;
    }
    if (awake.pauses > 0 &&
        (taken_after(lock, awake.pauses / 2) || taken_after(lock, awake.pauses))) {
        return true;
    }
    while (ftt_awake_yield(&awake)) {
        if (!ftt_lock_locked(lock) && ftt_lock_try(lock)) {
            return true;
        }
    }
    if (*timeout > 0) {
        ftt_time took = awake.now - awake.began;
        *timeout = took < *timeout ? *timeout - took : 0;
    }
    return false;
}
