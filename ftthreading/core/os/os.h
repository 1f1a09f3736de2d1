/* How a thread sleeps: the two things the core asks of the operating system.

   A sleeper is what one thread blocks on, until it is posted, a deadline passes or a signal
   comes.  A raw lock guards a few lines of plain C.  futex.c makes both from futexes; posix.c
   from mutexes and condition variables (macOS, the BSDs, and Linux when built with
   -DFTT_POSIX_BACKEND). */

#ifndef FTT_OS_H
#define FTT_OS_H

#include "atomics.h"

#if defined(_WIN32)
#error "ftthreading does not support Windows yet: it needs Linux, macOS or another POSIX system."
#endif

#if defined(__linux__) && !defined(FTT_POSIX_BACKEND)
#define FTT_OS_LINUX 1
#else
#define FTT_OS_LINUX 0
#include <pthread.h>
#endif

/* Absolute times are nanoseconds on the monotonic clock. */
typedef int64_t ftt_time;
#define FTT_FOREVER INT64_MAX

ftt_time ftt_now(void);

/* For how long all threads of the process together have had a processor, ns; -1: not told. */
ftt_time ftt_time_run(void);

/* Processors this thread may run on; at least 1. */
int ftt_usable_cpus(void);

/* The number by which the kernel knows the calling thread; 0 if it does not tell. */
unsigned long ftt_native_id(void);

enum {
    FTT_AWAKE_STATE = 0,
    FTT_ASLEEP_STATE = 1,
    FTT_POSTED_STATE = 2,
    FTT_INTERRUPTED_STATE = 3
};

typedef struct {
    ftt_word state;
    bool slept; /* it has been in the kernel since it was made ready; the sleeper's own */
#if !FTT_OS_LINUX
    pthread_mutex_t mutex;
    pthread_cond_t posted;
#endif
} ftt_sleeper;

typedef enum {
    FTT_SLEEP_POSTED,
    FTT_SLEEP_TIMEOUT,
    FTT_SLEEP_SIGNAL, /* one came; or, whatever `look` is, an interrupt */
    FTT_SLEEP_LOOK    /* one may have come */
} ftt_sleep_end;

/* Called once for fresh memory, and again in a forked child; false when out of memory. */
bool ftt_sleeper_init(ftt_sleeper *sleeper);

/* Makes ready for one more post.  The caller knows that no poster is left. */
static inline void
ftt_sleeper_reset(ftt_sleeper *sleeper)
{
    sleeper->slept = false;
    atomic_store_explicit(&sleeper->state, FTT_AWAKE_STATE, memory_order_relaxed);
}

/* Sleeps until posted (what the poster wrote before is then visible), until `deadline`, or
   until it is time to look whether a signal has come: one did, or it is `look`, for one that
   comes just before a sleep does not interrupt it.  With FTT_FOREVER for that, signals are
   slept through. */
ftt_sleep_end ftt_sleep(ftt_sleeper *sleeper, ftt_time deadline, ftt_time look);

/* Ends the sleep; true if ftt_sleeper_wake must follow.  Two steps, so that the first can
   be taken under a raw lock and the system call after it. */
bool ftt_sleeper_post(ftt_sleeper *sleeper);
void ftt_sleeper_wake(ftt_sleeper *sleeper);

/* Ends the sleep as a signal does; false if it does not sleep, or no longer. */
bool ftt_sleeper_interrupt(ftt_sleeper *sleeper);

typedef struct {
#if FTT_OS_LINUX
    ftt_word word; /* 0 free, 1 held, 2 held and somebody may sleep on it */
#else
    pthread_mutex_t mutex;
#endif
} ftt_raw_lock;

#if FTT_OS_LINUX
#define FTT_RAW_LOCK_INIT {0}
#else
#define FTT_RAW_LOCK_INIT {PTHREAD_MUTEX_INITIALIZER}
#endif

void ftt_raw_acquire(ftt_raw_lock *lock);
void ftt_raw_release(ftt_raw_lock *lock);
void ftt_raw_reinit(ftt_raw_lock *lock); /* in a forked child, whatever state it was in */

#endif
