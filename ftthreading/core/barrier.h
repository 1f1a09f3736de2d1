/* Barrier: parties that wait until all have come (state table in barrier.c). */

#ifndef FTT_BARRIER_H
#define FTT_BARRIER_H

#include "park.h"

typedef struct {
    int64_t parties;
    ftt_long count;      /* of this generation, arrived and waiting; bucket lock */
    uint64_t generation; /* from 1; bucket lock */
    ftt_word broken;     /* bucket lock; read without */
    bool tripping;       /* the last has come and runs the action; bucket lock */
    ftt_spin spin;
} ftt_barrier;

typedef enum {
    FTT_BARRIER_FAILED = -1, /* an exception is set */
    FTT_BARRIER_PASSED,
    FTT_BARRIER_BROKEN,
    FTT_BARRIER_LAST /* run the action, then call ftt_barrier_trip() */
} ftt_barrier_end;

static inline void
ftt_barrier_init(ftt_barrier *barrier, int64_t parties)
{
    barrier->parties = parties;
    barrier->generation = 1;
}

/* Those who wait now. */
static inline int64_t
ftt_barrier_count(const ftt_barrier *barrier)
{
    return atomic_load_explicit(&barrier->count, memory_order_relaxed);
}

static inline bool
ftt_barrier_broken(const ftt_barrier *barrier)
{
    return ftt_load(&barrier->broken) != 0;
}

/* One arrival; `index` its place in order, `generation` for ftt_barrier_trip(). */
typedef struct {
    int64_t index;
    uint64_t generation;
} ftt_arrival;

/* `timeout` in ns: negative waits forever.  One that times out breaks the barrier. */
ftt_barrier_end ftt_barrier_wait(ftt_barrier *barrier, int64_t timeout, bool has_action,
                                 ftt_arrival *arrival);

/* By the last, after the action: lets the others go, or breaks the barrier if the action
   failed.  False if abort() or reset() came in between: then it is broken for all. */
bool ftt_barrier_trip(ftt_barrier *barrier, uint64_t generation, bool succeeded);

/* These never wait, and may be called inside the action. */
void ftt_barrier_abort(ftt_barrier *barrier);
void ftt_barrier_reset(ftt_barrier *barrier);

#endif
