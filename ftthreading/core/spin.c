/* Spinning, and how long two microseconds are (see spin.h). */

#include "os.h"
#include "spin.h"

#define SPIN_TIME 2000 /* ns */
#define TRIAL 200      /* pauses */
#define LEAST 10       /* pauses that are always tried */
#define LONGEST_GAP 8  /* pauses between two looks: rarer looks disturb the owner less */

ftt_word ftt_spin_limit = 0;

void
ftt_spin_init(bool parallel)
{
    if (!parallel || ftt_usable_cpus() < 2) {
        atomic_store_explicit(&ftt_spin_limit, 0, memory_order_relaxed);
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
    atomic_store_explicit(&ftt_spin_limit, limit < LEAST ? LEAST : limit, memory_order_relaxed);
}

static void
remember(ftt_spin *spin, uint32_t guess, uint32_t misses)
{
    atomic_store_explicit(&spin->guess, (uint8_t)guess, memory_order_relaxed);
    atomic_store_explicit(&spin->misses, (uint8_t)misses, memory_order_relaxed);
}

ftt_spinner
ftt_spin_begin(ftt_spin *spin)
{
    ftt_spinner me = {.spin = spin, .gap = 1};
    uint32_t limit = ftt_load(&ftt_spin_limit);
    me.guess = atomic_load_explicit(&spin->guess, memory_order_relaxed);
    me.misses = atomic_load_explicit(&spin->misses, memory_order_relaxed);
    me.budget = me.misses % 16 == 0 ? limit : 2 * me.guess + LEAST;
    me.budget = me.budget < limit ? me.budget : limit;
    return me;
}

bool
ftt_spin_pause(ftt_spinner *me)
{
    if (me->spent >= me->budget) {
        remember(me->spin, me->guess - me->guess / 8, me->misses + 1);
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
    uint32_t took = me->spent < UINT8_MAX ? me->spent : UINT8_MAX;
    remember(me->spin, (7 * me->guess + took) / 8, 0);
}
