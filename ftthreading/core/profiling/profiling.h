/* The contention profile: how long waits take, where, and who is to blame (see profiling.c). */

#ifndef FTT_PYTHON_PROFILING_H
#define FTT_PYTHON_PROFILING_H

#include <Python.h>

#include "parking/profiling.h"

enum {
    FTT_CONTENDED, /* for what another thread has: a lock, a permit */
    FTT_AWAITED,   /* for something to happen: an event, a notification, others at a barrier */
    FTT_BLAMED,    /* not a wait: a release, and what it is charged with */
    FTT_JOINED,    /* for a thread's end */
    FTT_KINDS
};

/* One wait.  Nothing but a look at a flag while there is no profile. */
typedef struct {
    ftt_time began; /* 0: not profiled */
    ftt_time slept; /* when it stopped to stay awake; 0 if it has not, or it is not known */
    ftt_time inner; /* what this thread had spent in waits before, those inside others included */
} ftt_timing;

void ftt_timing_begin_slow(ftt_timing *timing);
void ftt_timing_end_slow(const ftt_timing *timing, int kind, const void *key, PyObject *object);

static inline ftt_timing
ftt_timing_begin(void)
{
    ftt_timing timing;
    timing.began = 0;
    if (ftt_profiles()) {
        ftt_timing_begin_slow(&timing);
    }
    return timing;
}

static inline void
ftt_timing_sleeps(ftt_timing *timing)
{
    if (timing->began != 0) {
        timing->slept = ftt_now();
    }
}

/* Attached; an exception may be set, and stays.  `key`: the address that stands for the lock in
   releases; NULL for what nobody has.  `object`: on which the program called; the thread, of a
   join. */
static inline void
ftt_timing_end(const ftt_timing *timing, int kind, const void *key, PyObject *object)
{
    if (timing->began != 0) {
        ftt_timing_end_slow(timing, kind, key, object);
    }
}

/* The end of a Condition's wait, whose lock is awaited since `reacquires`, if not 0. */
void ftt_timing_end_condition(const ftt_timing *timing, ftt_time reacquires, const void *lock,
                              PyObject *condition);

/* Remembers where the lock was made that `key` stands for, while there is a profile. */
void ftt_note_made_slow(const void *key);

static inline void
ftt_note_made(const void *key)
{
    if (ftt_profiles()) {
        ftt_note_made_slow(key);
    }
}

extern PyMethodDef ftt_profiling_methods[];

#endif
