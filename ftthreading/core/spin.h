/* How long to spin before parking.

   A hand-over between two running threads takes a few hundred nanoseconds; parking costs
   two system calls and a trip through the scheduler.  So a waiter first watches for at
   most two microseconds.  The limit is counted in `pause` instructions, whose length
   differs tenfold between processors, so it is measured once.  It is zero where nobody
   could end the wait meanwhile: with one usable processor, and under the GIL.

   Each primitive remembers how spinning went: the guess follows the number of pauses that
   sufficed, shrinks when spinning was in vain, and now and then the full time is tried,
   lest a bad spell be remembered for ever.  The memory is a hint: threads may overwrite
   each other's. */

#ifndef FTT_SPIN_H
#define FTT_SPIN_H

#include "atomics.h"

/* Pauses in about two microseconds; zero when spinning is useless. */
extern ftt_word ftt_spin_limit;

/* Measures the limit; `parallel` is false when threads cannot run side by side. */
void ftt_spin_init(bool parallel);

typedef struct {
    _Atomic uint8_t guess;  /* pauses that were lately enough */
    _Atomic uint8_t misses; /* spins in vain since one succeeded */
} ftt_spin;

/* One spin: pause between looks until the look succeeds or the budget is spent.

       ftt_spinner spinner = ftt_spin_begin(&primitive->spin);
       while (ftt_spin_pause(&spinner)) {
           if (what we wait for has come) {
               ftt_spin_hit(&spinner);
               return true;
           }
       }
*/
typedef struct {
    ftt_spin *spin;
    uint32_t budget, spent, gap, guess, misses;
} ftt_spinner;

ftt_spinner ftt_spin_begin(ftt_spin *spin);
bool ftt_spin_pause(ftt_spinner *spinner); /* false when it is time to give up */
void ftt_spin_hit(ftt_spinner *spinner);

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

#endif
