/* Pausing: keeping one's processor with nothing to do on it. */

#ifndef FTT_PAUSE_H
#define FTT_PAUSE_H

#include "os.h"

/* Pauses in about two microseconds: the longest time that pauses are used for.  Zero when they
   are useless: with one usable processor, and when nobody is to stay awake (parking/policy.h). */
extern ftt_word ftt_spin_limit;

/* How many pauses there are in `time` ns here, and at least one; takes some microseconds. */
uint32_t ftt_pauses_in(ftt_time time);

static inline void
ftt_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#elif defined(__arm__)
    __asm__ __volatile__("yield" ::: "memory");
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

static inline void
ftt_pause_times(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ftt_pause();
    }
}

#endif
