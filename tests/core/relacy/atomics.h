/* Stands in for ftthreading/core/os/atomics.h where the core is compiled as C++ under Relacy: the
   same names, for atomics of Relacy's (search.cpp), each operation of which is a step of the search
   and sees what its memory order allows it to see. */

#ifndef FTT_ATOMICS_H
#define FTT_ATOMICS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What C says and C++ does not. */
#define _Alignas alignas
#define _Thread_local
#define _Atomic(type) ftt_atom<type>
#define FTT_TLS_MODEL

/* All threads of a search run on one: ftt_this_thread is a call.  What thread.h and thread.c say of
   the variable declares the function. */
#define ftt_this_thread (*ftt_current_thread())

enum memory_order {
    memory_order_relaxed,
    memory_order_acquire,
    memory_order_release,
    memory_order_acq_rel,
    memory_order_seq_cst
};

/* An atomic of Relacy's lives for one run of the search; this one makes it when it is first used.  All
   zero is an atomic that is zero. */
struct ftt_cell {
    uint64_t first; /* its value before that */
    uint32_t run;
    void *atomic;
};

struct ftt_line {
    const char *file;
    unsigned number;
};

uint64_t ftt_cell_load(ftt_cell *cell, memory_order order, ftt_line line);
void ftt_cell_store(ftt_cell *cell, uint64_t value, memory_order order, ftt_line line);
bool ftt_cell_cas(ftt_cell *cell, uint64_t *seen, uint64_t value, memory_order order,
                  memory_order failure, ftt_line line);
enum ftt_change { FTT_EXCHANGE, FTT_ADD, FTT_SUB, FTT_AND, FTT_OR };
uint64_t ftt_cell_change(ftt_cell *cell, ftt_change change, uint64_t by, memory_order order,
                         ftt_line line);

template <typename T> struct ftt_atom {
    mutable ftt_cell cell;

    constexpr ftt_atom() : cell{} {}
    constexpr ftt_atom(T value) : cell{(uint64_t)value, 0, nullptr} {}

    static uint64_t bits(T value)
    {
        uint64_t all = 0;
        memcpy(&all, &value, sizeof(value));
        return all;
    }

    static T value(uint64_t bits)
    {
        T some;
        memcpy(&some, &bits, sizeof(some));
        return some;
    }
};

template <typename T> struct ftt_same {
    typedef T type;
};
#define FTT_HERE                                                                                   \
    const char *file = __builtin_FILE(), unsigned number = __builtin_LINE()
#define FTT_LINE                                                                                   \
    ftt_line { file, number }

template <typename T>
T
atomic_load_explicit(const ftt_atom<T> *atom, memory_order order, FTT_HERE)
{
    return atom->value(ftt_cell_load(&atom->cell, order, FTT_LINE));
}

template <typename T>
void
atomic_store_explicit(ftt_atom<T> *atom, typename ftt_same<T>::type value, memory_order order,
                      FTT_HERE)
{
    ftt_cell_store(&atom->cell, atom->bits(value), order, FTT_LINE);
}

template <typename T>
bool
atomic_compare_exchange_strong_explicit(ftt_atom<T> *atom, T *seen,
                                        typename ftt_same<T>::type value, memory_order order,
                                        memory_order failure, FTT_HERE)
{
    uint64_t before = atom->bits(*seen);
    bool done =
        ftt_cell_cas(&atom->cell, &before, atom->bits(value), order, failure, FTT_LINE);
    *seen = atom->value(before);
    return done;
}
#define atomic_compare_exchange_weak_explicit atomic_compare_exchange_strong_explicit

#define FTT_CHANGE(name, change)                                                                   \
    template <typename T>                                                                          \
    T name(ftt_atom<T> *atom, typename ftt_same<T>::type by, memory_order order, FTT_HERE)         \
    {                                                                                              \
        return atom->value(                                                                        \
            ftt_cell_change(&atom->cell, change, atom->bits(by), order, FTT_LINE));                \
    }
FTT_CHANGE(atomic_exchange_explicit, FTT_EXCHANGE)
FTT_CHANGE(atomic_fetch_add_explicit, FTT_ADD)
FTT_CHANGE(atomic_fetch_sub_explicit, FTT_SUB)
FTT_CHANGE(atomic_fetch_and_explicit, FTT_AND)
FTT_CHANGE(atomic_fetch_or_explicit, FTT_OR)

typedef _Atomic(uint32_t) ftt_word;
typedef _Atomic(int64_t) ftt_long;

static inline uint32_t
ftt_load(const ftt_word *word, FTT_HERE)
{
    return atomic_load_explicit(word, memory_order_relaxed, file, number);
}

static inline bool
ftt_cas(ftt_word *word, uint32_t *seen, uint32_t desired, memory_order order, FTT_HERE)
{
    return atomic_compare_exchange_strong_explicit(word, seen, desired, order,
                                                   memory_order_relaxed, file, number);
}

#endif
