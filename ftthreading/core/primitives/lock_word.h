/* The state word of a Lock, and what one look or one step can do with it.  What the bits mean, and
   why no wake-up is lost, is in lock.c. */

#ifndef FTT_LOCK_WORD_H
#define FTT_LOCK_WORD_H

#include "parking/park.h"

enum {
    FTT_LOCKED = 1u,
    FTT_AWAKE = FTT_CLAIM_BIT,
    FTT_PARKED = 4u,
};

typedef struct {
    ftt_word word;
    ftt_word holder;       /* who has taken it last (ftt_lock_note); means nothing to the lock */
    uint16_t last_handoff; /* ftt_handoff_stamp(); bucket lock */
    ftt_pace pace;
} ftt_lock;

/* One step; never waits, and never fails on a lock that was free throughout. */
static inline bool
ftt_lock_try(ftt_lock *lock)
{
    uint32_t seen = 0;
    if (ftt_cas(&lock->word, &seen, FTT_LOCKED, memory_order_acquire)) {
        return true;
    }
    while ((seen & FTT_LOCKED) == 0) {
        if (ftt_cas(&lock->word, &seen, seen | FTT_LOCKED, memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

static inline bool
ftt_lock_locked(const ftt_lock *lock)
{
    return (atomic_load_explicit(&lock->word, memory_order_acquire) & FTT_LOCKED) != 0;
}

#endif
