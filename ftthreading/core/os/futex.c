/* Sleeping on Linux: one futex for each sleeper, and a three-state futex lock.

   A deadline is passed as it is (FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC
   time), so an interrupted sleep never has to work out what is left of it.  A wake may
   come late to a sleeper that already began another sleep: every sleep therefore re-reads
   its state and treats such a wake as noise.

   The kernel's idea of a time is not always the C library's: SYS_futex takes two of the kernel's
   longs, of 32 bits on most 32-bit systems, where a struct timespec may have 64 for the seconds;
   and on the youngest of these there is only SYS_futex_time64, which takes two of 64 bits
   everywhere.  So a time is handed over in the form that the call takes.

   Whoever comes back without a post is awake again in one step, in which an interrupt or a post
   that came before is seen.  So an interrupt that has found somebody asleep ends that very sleep.

   Orders: a post releases and the look that finds it acquires, so what the poster did before is
   seen by the sleeper; post and falling asleep are read-modify-writes of one word, so one of
   them sees the other.  A raw lock is taken by a step that acquires and given back by one that
   releases. */

#define _GNU_SOURCE
#include "os.h"

#if FTT_OS_LINUX

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pause.h"

#ifdef SYS_futex
#define FUTEX_CALL SYS_futex
typedef __kernel_long_t kernel_long;
#else
#define FUTEX_CALL SYS_futex_time64
typedef int64_t kernel_long;
#endif

typedef struct {
    kernel_long seconds, nanoseconds;
} kernel_time;

#define MOST_SECONDS (sizeof(kernel_long) == 4 ? (ftt_time)INT32_MAX : FTT_FOREVER)

static long
futex(ftt_word *word, int operation, uint32_t value, const kernel_time *timeout)
{
    return syscall(FUTEX_CALL, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL,
                   FUTEX_BITSET_MATCH_ANY);
}

int
ftt_usable_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        return CPU_COUNT(&set);
    }
    /* More processors than a cpu_set_t holds: surely more than one. */
    return errno == EINVAL ? CPU_SETSIZE : 1;
}

unsigned long
ftt_native_id(void)
{
    return (unsigned long)syscall(SYS_gettid);
}

bool
ftt_sleeper_init(ftt_sleeper *sleeper)
{
    ftt_sleeper_reset(sleeper);
    return true;
}

ftt_sleep_end
ftt_sleep(ftt_sleeper *sleeper, ftt_time deadline, ftt_time look)
{
    ftt_time end = look < deadline ? look : deadline;
    /* What the kernel's seconds cannot hold is 68 years off. */
    bool ends = end != FTT_FOREVER && end / 1000000000 <= MOST_SECONDS;
    kernel_time until = {(kernel_long)(end / 1000000000), (kernel_long)(end % 1000000000)};
    uint32_t seen = FTT_AWAKE_STATE;
    ftt_cas(&sleeper->state, &seen, FTT_ASLEEP_STATE, memory_order_relaxed);
    while ((seen = atomic_load_explicit(&sleeper->state, memory_order_acquire)) !=
           FTT_POSTED_STATE) {
        if (seen == FTT_INTERRUPTED_STATE) {
            if (ftt_cas(&sleeper->state, &seen, FTT_AWAKE_STATE, memory_order_relaxed)) {
                return FTT_SLEEP_SIGNAL;
            }
            continue;
        }
        long rc = futex(&sleeper->state, FUTEX_WAIT_BITSET, FTT_ASLEEP_STATE,
                        ends ? &until : NULL);
        if (rc == 0) {
            sleeper->slept = true;
        }
        if (rc == 0 || errno == EAGAIN) {
            continue;
        }
        bool late = errno == ETIMEDOUT;
        seen = FTT_ASLEEP_STATE;
        if ((late || (errno == EINTR && look != FTT_FOREVER)) &&
            ftt_cas(&sleeper->state, &seen, FTT_AWAKE_STATE, memory_order_relaxed)) {
            return !late             ? FTT_SLEEP_SIGNAL
                   : end == deadline ? FTT_SLEEP_TIMEOUT
                                     : FTT_SLEEP_LOOK;
        }
    }
    return FTT_SLEEP_POSTED;
}

bool
ftt_sleeper_post(ftt_sleeper *sleeper)
{
    return atomic_exchange_explicit(&sleeper->state, FTT_POSTED_STATE,
                                    memory_order_release) == FTT_ASLEEP_STATE;
}

void
ftt_sleeper_wake(ftt_sleeper *sleeper)
{
    futex(&sleeper->state, FUTEX_WAKE, 1, NULL);
}

bool
ftt_sleeper_interrupt(ftt_sleeper *sleeper)
{
    uint32_t seen = FTT_ASLEEP_STATE;
    if (!ftt_cas(&sleeper->state, &seen, FTT_INTERRUPTED_STATE, memory_order_release)) {
        return false;
    }
    ftt_sleeper_wake(sleeper);
    return true;
}

void
ftt_raw_acquire(ftt_raw_lock *lock)
{
    uint32_t seen = 0;
    if (ftt_cas(&lock->word, &seen, 1, memory_order_acquire)) {
        return;
    }
    for (uint32_t i = 0, limit = ftt_load(&ftt_spin_limit); i < limit; i++) {
        ftt_pause();
        seen = 0;
        if (ftt_load(&lock->word) == 0 &&
            ftt_cas(&lock->word, &seen, 1, memory_order_acquire)) {
            return;
        }
    }
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0) {
        futex(&lock->word, FUTEX_WAIT, 2, NULL);
    }
}

void
ftt_raw_release(ftt_raw_lock *lock)
{
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2) {
        futex(&lock->word, FUTEX_WAKE, 1, NULL);
    }
}

void
ftt_raw_reinit(ftt_raw_lock *lock)
{
    atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
}

#endif
