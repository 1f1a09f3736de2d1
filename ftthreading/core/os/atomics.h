/* The C11 atomics the core uses, under names short enough to read in a state machine.

   Every order is spelled out at the call: an operation without one would be
   sequentially consistent and hide which pairing the algorithm relies on. */

#ifndef FTT_ATOMICS_H
#define FTT_ATOMICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint32_t ftt_word;
typedef _Atomic int64_t ftt_long;

static inline uint32_t
ftt_load(const ftt_word *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* On failure *seen holds what was there, read with no ordering. */
static inline bool
ftt_cas(ftt_word *word, uint32_t *seen, uint32_t desired, memory_order order)
{
    return atomic_compare_exchange_strong_explicit(word, seen, desired, order,
                                                   memory_order_relaxed);
}

#endif
