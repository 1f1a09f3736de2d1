/* Spinning, and how long two microseconds are (see spin.h). */

#include <stddef.h>

#include "os.h"
#include "spin.h"

#define SPIN_TIME 2000 /* ns */
#define TRIAL 200      /* pauses */
#define LONG_SPIN 25   /* times SPIN_TIME */
#define SELDOM 16      /* without a success, one spin in so many is long */
#define LONGEST_GAP 8  /* pauses between two looks: rarer looks disturb the owner less */

ftt_word ftt_spin_limit = 0;
ftt_word ftt_gentle = 0;
static ftt_word measured = 0;

void
ftt_spin_init(bool gentle)
{
    atomic_store_explicit(&ftt_gentle, gentle, memory_order_relaxed);
    if (gentle) {
        atomic_store_explicit(&measured, 0, memory_order_relaxed);
    }
    if (gentle || ftt_load(&measured) != 0 || ftt_usable_cpus() < 2) {
        return;
    }
    /* The shortest of a few trials: a longer one was interrupted. */
    ftt_time best = FTT_FOREVER;
    for (int trial = 0; trial < 5; trial++) {
        ftt_time start = ftt_now();
        for (int i = 0; i < TRIAL; i++) {
            ftt_pause();
        }
        ftt_time took = ftt_now() - start;
        best = took < best ? took : best;
    }
    uint32_t limit = (uint32_t)(SPIN_TIME * TRIAL / (best > 0 ? best : 1));
    atomic_store_explicit(&measured, limit > 0 ? limit : 1, memory_order_relaxed);
}

void
ftt_spin_follow(bool parallel)
{
    uint32_t limit = parallel ? ftt_load(&measured) : 0;
    if (ftt_load(&ftt_spin_limit) != limit) {
        atomic_store_explicit(&ftt_spin_limit, limit, memory_order_relaxed);
    }
}

ftt_spinner
ftt_spin_begin(ftt_spin *spin)
{
    return (ftt_spinner){
        .spin = spin,
        .gap = 1,
        .budget = ftt_load(&ftt_spin_limit),
        .misses = atomic_load_explicit(&spin->misses, memory_order_relaxed),
    };
}

ftt_spinner
ftt_spin_begin_long(ftt_spin *spin)
{
    ftt_spinner me = ftt_spin_begin(spin);
    me.spin = NULL; /* that a long spin pays, or not, is no reason for another */
    bool due = atomic_load_explicit(&spin->paid, memory_order_relaxed)
                   ? me.misses > 1 && (me.misses & (me.misses - 1)) == 0
                   : me.misses % SELDOM == SELDOM - 1;
    me.budget *= due ? LONG_SPIN : 0;
    return me;
}

bool
ftt_spin_pause(ftt_spinner *me)
{
    if (me->spent >= me->budget) {
        if (me->spin != NULL) {
            atomic_store_explicit(&me->spin->misses, (uint8_t)(me->misses + 1),
                                  memory_order_relaxed);
        }
        return false;
    }
    for (uint32_t i = 0; i < me->gap; i++) {
        ftt_pause();
    }
    me->spent += me->gap;
    me->gap = me->gap < LONGEST_GAP ? me->gap * 2 : LONGEST_GAP;
    return true;
}

void
ftt_spin_hit(ftt_spinner *me)
{
    if (me->spin == NULL) {
        return;
    }
    atomic_store_explicit(&me->spin->misses, 0, memory_order_relaxed);
    atomic_store_explicit(&me->spin->paid, true, memory_order_relaxed);
}
