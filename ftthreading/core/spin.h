/* How long to spin before parking.

   A hand-over between two running threads takes a few hundred nanoseconds; parking costs
   two system calls and a trip through the scheduler.  So a waiter first watches for at
   most two microseconds.  The limit is counted in `pause` instructions, whose length
   differs tenfold between processors, so it is measured once.  It is zero where nobody
   could end the wait meanwhile: with one usable processor, and under the GIL, which may come
   back at any time (blocking.c asks).

   A waiter that spins, or that the kernel puts in the place of the one who woke it, is off
   before that one has come to its next line.  Under threading this hardly happens, and there
   are programs that count on it.  So waiters can be made gentle: they do not spin, and when they
   have slept they yield their processor once before they go on.

   Two threads that hand something to and fro can get stuck in parking: each sleeps because
   the other, who has to be woken first, takes longer than a spin.  So now and then a waiter
   whose spin was in vain goes on for as long as waking takes on a slow machine, detached and
   in its queue.  If that finds the other awake, both stay awake from then on.  Where spinning
   has once succeeded this happens after the 2nd, 4th, 8th ... spin in vain, elsewhere
   after each sixteenth. */

#ifndef FTT_SPIN_H
#define FTT_SPIN_H

#include "atomics.h"

/* Pauses in about two microseconds; zero when spinning is useless. */
extern ftt_word ftt_spin_limit;

/* Measures the limit, the first time, or makes all waiters gentle. */
void ftt_spin_init(bool gentle);

extern ftt_word ftt_gentle;

/* Whether threads can run side by side at present. */
void ftt_spin_follow(bool parallel);

typedef struct {
    /* Hints, which threads may overwrite for each other. */
    _Atomic uint8_t misses; /* short spins in vain since one succeeded */
    _Atomic bool paid;      /* a short spin has succeeded */
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
    ftt_spin *spin; /* which learns from it; NULL for a long one, which thus touches no object */
    uint32_t budget, spent, gap, misses;
} ftt_spinner;

ftt_spinner ftt_spin_begin(ftt_spin *spin);

/* A long spin, if one is due, else one without a single look. */
ftt_spinner ftt_spin_begin_long(ftt_spin *spin);
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
