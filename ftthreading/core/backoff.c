/* Backing off: what a newcomer does first about a lock that another thread has.

   In a crowd (policy.h) it yields its processor, and takes the lock when it finds it free.  So
   does one that has paused in vain.  The rest is about pausing.

   A taken lock may be on its way to us, or not, and the word does not say which:

     handed on     the owner releases it and goes to do, or to wait for, something else.  The
                   sooner we take it the better: a hand-over costs some hundred nanoseconds.
     taken again   the owner releases it and is back at once, in a loop.  Should we take it in
                   between, the two threads pass it to and fro at each call, and with it the
                   cache lines of whatever it guards; even our looks slow the owner down.  The
                   later we take it the better: meanwhile the owner does many calls.

   So it looks at growing intervals, and takes a free lock only if it stays free for a
   moment.  The moment is longer than an owner needs to come back although our look took the
   cache line from it: some hundred nanoseconds between processors that share no cache, and looks
   in that time must be few, or they keep the owner away.  Once a newcomer finds the lock taken
   again, it and its successors wait for some microseconds without a look: as many of them as
   `habit` says, which doubles each time that the lock is found taken again and is halved each
   time that it stayed free.

   Who waits for a condition releases the lock to sleep, and says so: the next one looks.

   Both kinds of advice pay.  Without any back-off two threads in a loop got half as much done as
   with threading's lock; with a back-off that never looks, a Lock handed to and fro took 1.6
   times and a Condition about three times as long.  perf/contended.py and perf/handoff.py
   measure the two.

   All of this is advice: nothing is promised to a thread that backs off, nobody relies on it,
   and the fields are overwritten without care. */

#include "lock.h"

/* In parts of the spin limit, which is about two microseconds. */
#define BACK_OFF(limit) ((limit) * 3 / 2)
#define FIRST_LOOK(limit) ((limit) / 16)
#define DWELL(limit) ((limit) / 12) /* before each of its looks */
#define DWELL_LOOKS 3
#define LONGEST_HABIT 255

static void
pause_for(uint32_t pauses)
{
    for (uint32_t i = 0; i < pauses; i++) {
        ftt_pause();
    }
}

static bool
stays_free(const ftt_lock *lock, uint32_t limit)
{
    for (int look = 0; look < DWELL_LOOKS; look++) {
        pause_for(DWELL(limit));
        if (ftt_lock_locked(lock)) {
            return false;
        }
    }
    return true;
}

static uint8_t
get(const _Atomic uint8_t *hint)
{
    return atomic_load_explicit(hint, memory_order_relaxed);
}

static void
set(_Atomic uint8_t *hint, uint32_t value)
{
    atomic_store_explicit(hint, (uint8_t)value, memory_order_relaxed);
}

static bool
pausing(ftt_lock *lock, uint32_t limit)
{
    uint32_t left = BACK_OFF(limit);
    uint32_t blind = get(&lock->blind), habit = get(&lock->habit);
    bool taken_again = false;
    if (blind > 0) {
        set(&lock->blind, blind - 1);
    }
    for (uint32_t gap = FIRST_LOOK(limit); blind == 0 && gap < left; gap *= 2) {
        pause_for(gap);
        left -= gap;
        if (!ftt_lock_locked(lock)) {
            if (stays_free(lock, limit) && ftt_lock_try(lock)) {
                set(&lock->habit, habit / 2);
                return true;
            }
            taken_again = true;
        }
    }
    if (taken_again) {
        habit = habit < LONGEST_HABIT / 2 ? habit * 2 + 1 : LONGEST_HABIT;
        set(&lock->habit, habit);
        set(&lock->blind, habit);
    }
    pause_for(left);
    return ftt_lock_try(lock);
}

bool
ftt_lock_back_off(ftt_lock *lock)
{
    if ((ftt_load(&lock->word) & (FTT_PARKED | FTT_AWAKE)) != 0) {
        return false;
    }
    ftt_awake awake = ftt_awake_begin(ftt_budget_of_newcomer(), FTT_FOREVER);
    if (awake.pauses > 0 && pausing(lock, awake.pauses)) {
        return true;
    }
    while (ftt_awake_yield(&awake)) {
        uint32_t seen = ftt_load(&lock->word);
        if ((seen & FTT_LOCKED) == 0 && ftt_lock_try(lock)) {
            return true;
        }
        if ((seen & (FTT_PARKED | FTT_AWAKE)) != 0) {
            break;
        }
    }
    return false;
}
