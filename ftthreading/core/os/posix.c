/* Sleeping anywhere else: a mutex and a condition variable for each sleeper.

   Posting changes the state under the sleeper's mutex, so a sleeper cannot miss it between
   its test and its wait.  pthread_cond_timedwait() is not interrupted by signals, so a
   thread that must notice them sleeps in short slices and reports the end of each as a
   signal that may have come.  Sleepers are never freed (park.c), so a post that is still inside
   pthread_cond_signal() when its sleeper has gone on touches valid memory. */

#define _GNU_SOURCE
#include "os.h"

#if !FTT_OS_LINUX

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_SLICE ((ftt_time)20 * 1000 * 1000) /* ns; no signal ends a wait here */

int
ftt_usable_cpus(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

unsigned long
ftt_native_id(void)
{
    return 0;
}

bool
ftt_sleeper_init(ftt_sleeper *sleeper)
{
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&sleeper->mutex, NULL) != 0 ||
        pthread_condattr_init(&attributes) != 0) {
        return false;
    }
#ifndef __APPLE__
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    bool made = pthread_cond_init(&sleeper->posted, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    ftt_sleeper_reset(sleeper);
    return made;
}

/* One wait, spurious wake-ups included; the mutex is held. */
static void
wait_until(ftt_sleeper *sleeper, ftt_time until)
{
    if (until == FTT_FOREVER) {
        pthread_cond_wait(&sleeper->posted, &sleeper->mutex);
        return;
    }
#ifdef __APPLE__
    /* No monotonic condition variables here, but a relative wait. */
    ftt_time left = until - ftt_now();
    struct timespec span = {left / 1000000000, left % 1000000000};
    if (left > 0) {
        pthread_cond_timedwait_relative_np(&sleeper->posted, &sleeper->mutex, &span);
    }
#else
    struct timespec moment = {until / 1000000000, until % 1000000000};
    pthread_cond_timedwait(&sleeper->posted, &sleeper->mutex, &moment);
#endif
}

ftt_sleep_end
ftt_sleep(ftt_sleeper *sleeper, ftt_time deadline, ftt_time look)
{
    ftt_sleep_end end = FTT_SLEEP_POSTED;
    if (look != FTT_FOREVER) {
        ftt_time slice = ftt_now() + LONGEST_SLICE;
        look = slice < look ? slice : look;
    }
    ftt_time until = look < deadline ? look : deadline;
    pthread_mutex_lock(&sleeper->mutex);
    while (ftt_load(&sleeper->state) != FTT_POSTED_STATE) {
        if (ftt_load(&sleeper->state) == FTT_INTERRUPTED_STATE) {
            atomic_store_explicit(&sleeper->state, FTT_AWAKE_STATE, memory_order_relaxed);
            end = FTT_SLEEP_SIGNAL;
            break;
        }
        atomic_store_explicit(&sleeper->state, FTT_ASLEEP_STATE, memory_order_relaxed);
        if (until != FTT_FOREVER && ftt_now() >= until) {
            atomic_store_explicit(&sleeper->state, FTT_AWAKE_STATE, memory_order_relaxed);
            end = until == deadline ? FTT_SLEEP_TIMEOUT : FTT_SLEEP_LOOK;
            break;
        }
        wait_until(sleeper, until);
        sleeper->slept = true;
    }
    pthread_mutex_unlock(&sleeper->mutex);
    return end;
}

bool
ftt_sleeper_post(ftt_sleeper *sleeper)
{
    pthread_mutex_lock(&sleeper->mutex);
    uint32_t before = ftt_load(&sleeper->state);
    atomic_store_explicit(&sleeper->state, FTT_POSTED_STATE, memory_order_release);
    pthread_mutex_unlock(&sleeper->mutex);
    return before == FTT_ASLEEP_STATE;
}

void
ftt_sleeper_wake(ftt_sleeper *sleeper)
{
    pthread_cond_signal(&sleeper->posted);
}

bool
ftt_sleeper_interrupt(ftt_sleeper *sleeper)
{
    pthread_mutex_lock(&sleeper->mutex);
    bool asleep = ftt_load(&sleeper->state) == FTT_ASLEEP_STATE;
    if (asleep) {
        atomic_store_explicit(&sleeper->state, FTT_INTERRUPTED_STATE, memory_order_relaxed);
    }
    pthread_mutex_unlock(&sleeper->mutex);
    if (asleep) {
        ftt_sleeper_wake(sleeper);
    }
    return asleep;
}

void
ftt_raw_acquire(ftt_raw_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void
ftt_raw_release(ftt_raw_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}

void
ftt_raw_reinit(ftt_raw_lock *lock)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    lock->mutex = fresh;
}

#endif
