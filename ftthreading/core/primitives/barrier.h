/* Barrier: parties that wait until all have come (state table in barrier.c). */

#ifndef FTT_BARRIER_H
#define FTT_BARRIER_H

#include "parking/park.h"

typedef struct {
    int64_t parties;
    ftt_long waiting;    /* what n_waiting says; bucket lock, read without */
    ftt_word broken;     /* bucket lock, read without */
    ftt_word foreign;    /* bucket lock, read without */
    uint32_t forks;      /* ftt_forks when `turn` was given; bucket lock */
    int64_t count;       /* arrived in the open generation; bucket lock */
    uint64_t generation; /* the open one, from 1; those below it are closed; bucket lock */
    uint64_t turn;       /* the closed one whose action runs; 0 for none; bucket lock */
    uint64_t oldest;     /* abort() or reset() has broken all below; bucket lock */
    ftt_pace pace;
} ftt_barrier;

typedef enum {
    FTT_BARRIER_FAILED = -1, /* an exception is set */
    FTT_BARRIER_PASSED,
    FTT_BARRIER_BROKEN,
    FTT_BARRIER_FOREIGN, /* it is or turned foreign while this waited; as if it had not come */
    FTT_BARRIER_LEADS /* run the action, if there is one, then call ftt_barrier_trip() */
} ftt_barrier_end;

static inline void
ftt_barrier_init(ftt_barrier *barrier, int64_t parties)
{
    barrier->parties = parties;
    barrier->generation = 1;
}

/* Those who wait now; all parties while their action runs. */
static inline int64_t
ftt_barrier_count(const ftt_barrier *barrier)
{
    return atomic_load_explicit(&barrier->waiting, memory_order_acquire);
}

static inline bool
ftt_barrier_broken(const ftt_barrier *barrier)
{
    return atomic_load_explicit(&barrier->broken, memory_order_acquire) != 0;
}

static inline bool
ftt_barrier_is_foreign(const ftt_barrier *barrier)
{
    return atomic_load_explicit(&barrier->foreign, memory_order_acquire) != 0;
}

/* One arrival; `index` its place in order, `generation` for ftt_barrier_trip(), `deadline` for
   the rest of the wait at a foreign barrier. */
typedef struct {
    int64_t index;
    uint64_t generation;
    ftt_time deadline;
} ftt_arrival;

/* `timeout` in ns: negative waits forever.  One that times out breaks its generation and the
   barrier, unless all parties have come. */
ftt_barrier_end ftt_barrier_wait(ftt_barrier *barrier, int64_t timeout, ftt_arrival *arrival);

/* By the one who leads, after the action: lets the others go, or breaks the barrier if the
   action failed.  False if abort() or reset() came in between: then it is broken for all. */
bool ftt_barrier_trip(ftt_barrier *barrier, uint64_t generation, bool succeeded);

/* These never wait, and may be called inside the action.  False, and nothing done, if it is
   foreign. */
bool ftt_barrier_abort(ftt_barrier *barrier);
bool ftt_barrier_reset(ftt_barrier *barrier);

/* Makes it foreign; whether it is broken. */
bool ftt_barrier_give_up(ftt_barrier *barrier);

#endif
