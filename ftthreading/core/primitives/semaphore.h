/* Semaphore: a number of permits (state table and argument in semaphore.c). */

#ifndef FTT_SEMAPHORE_H
#define FTT_SEMAPHORE_H

#include "parking/park.h"

enum {
    FTT_SEMAPHORE_WAITERS = 1,
    FTT_SEMAPHORE_AWAKE = FTT_CLAIM_BIT,
    FTT_SEMAPHORE_PERMIT = 4, /* one permit; the number is in the bits from here on */
};

/* The sign, so that to the fast paths a foreign semaphore has no permits. */
#define FTT_SEMAPHORE_FOREIGN INT64_MIN

#define FTT_SEMAPHORE_MAX (INT64_MAX / FTT_SEMAPHORE_PERMIT)

typedef struct {
    ftt_long state;
    uint16_t last_handoff; /* ftt_handoff_stamp(); bucket lock */
    ftt_pace pace;
} ftt_semaphore;

static inline bool
ftt_long_cas(ftt_long *state, int64_t *seen, int64_t desired, memory_order order)
{
    return atomic_compare_exchange_strong_explicit(state, seen, desired, order,
                                                   memory_order_relaxed);
}

static inline int64_t
ftt_semaphore_value(const ftt_semaphore *semaphore)
{
    int64_t state = atomic_load_explicit(&semaphore->state, memory_order_acquire);
    return (state & ~FTT_SEMAPHORE_FOREIGN) / FTT_SEMAPHORE_PERMIT;
}

static inline bool
ftt_semaphore_is_foreign(const ftt_semaphore *semaphore)
{
    return atomic_load_explicit(&semaphore->state, memory_order_acquire) < 0;
}

/* Takes a permit if there is one; never waits. */
static inline bool
ftt_semaphore_try(ftt_semaphore *semaphore)
{
    int64_t seen = atomic_load_explicit(&semaphore->state, memory_order_relaxed);
    while (seen >= FTT_SEMAPHORE_PERMIT) {
        if (ftt_long_cas(&semaphore->state, &seen, seen - FTT_SEMAPHORE_PERMIT,
                         memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

/* For one that ftt_semaphore_try() found empty.  `timeout` in ns: negative waits forever, 0
   does not.  FTT_FOREIGN if it is or turns foreign, with what is left in *deadline. */
ftt_outcome ftt_semaphore_wait(ftt_semaphore *semaphore, int64_t timeout, ftt_time *deadline);

/* Makes it foreign. */
void ftt_semaphore_give_up(ftt_semaphore *semaphore);

/* Makes it this many permits, foreign or not; 0 to FTT_SEMAPHORE_MAX. */
void ftt_semaphore_put(ftt_semaphore *semaphore, int64_t permits);

bool ftt_semaphore_release_slow(ftt_semaphore *semaphore, int64_t count, int64_t limit);

/* Gives `count` > 0 permits; false, and nothing changed, if there would be more than `limit`,
   or if it is foreign. */
static inline bool
ftt_semaphore_release(ftt_semaphore *semaphore, int64_t count, int64_t limit)
{
    int64_t seen = atomic_load_explicit(&semaphore->state, memory_order_relaxed);
    while ((seen & (FTT_SEMAPHORE_WAITERS | FTT_SEMAPHORE_FOREIGN)) == 0 &&
           count <= limit - seen / FTT_SEMAPHORE_PERMIT) {
        if (ftt_long_cas(&semaphore->state, &seen, seen + count * FTT_SEMAPHORE_PERMIT,
                         memory_order_release)) {
            return true;
        }
    }
    return ftt_semaphore_release_slow(semaphore, count, limit);
}

/* In the child of a fork: nobody waits; the permits stay. */
static inline void
ftt_semaphore_reinit(ftt_semaphore *semaphore)
{
    atomic_fetch_and_explicit(&semaphore->state, -(int64_t)FTT_SEMAPHORE_PERMIT,
                              memory_order_relaxed);
}

#endif
