/* What the core's sources rest on under Relacy: atomics and plain data (search.h), the kernel's futex,
   the clock, and the interface to an interpreter; and the search.

   Relacy runs each test many times, one thread at a time, changes threads before operations on atomics
   as its scheduler wants, and has each load see any value that C11 allows for the orders that were
   given.  A test fails by a check, by plain data that is read or written without order, or when all
   threads sleep.

   The kernel orders nothing here: FUTEX_WAIT compares with the newest value, and who is woken has seen
   nothing by that.  Time goes on by leaps, so that a hand-over is now due and now not. */

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long
failed_because(int error)
{
    errno = error;
    return -1;
}

static const int CHANGED = EAGAIN, LATE = ETIMEDOUT;

#include <relacy/relacy.hpp>
/* Macros of its own for these. */
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef futex
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst

#include "search.h"

#include "os/pause.h"
#include "parking/policy.h"
#include "parking/profiling.h"
#include "parking/table.h"
#include "primitives/handoff.h"

#define MOST_THREADS 3
#define BUCKETS 256
#define MOST_ATOMICS 4096

/* Atomics (atomics.h). */

typedef rl::generic_atomic<uint64_t, false> atomic;

static uint32_t run;
static int atomics;
alignas(16) static unsigned char memory_of_atomics[MOST_ATOMICS][sizeof(atomic)];

static const rl::memory_order orders[] = {rl::mo_relaxed, rl::mo_acquire, rl::mo_release,
                                          rl::mo_acq_rel, rl::mo_seq_cst};

static rl::debug_info
place(ftt_line line)
{
    return rl::debug_info("", line.file, line.number);
}

/* Without a step of the search: as if it had been there before all threads. */
static atomic *
of(ftt_cell *cell)
{
    if (cell->run != run) {
        RL_VERIFY(atomics < MOST_ATOMICS);
        atomic *made = ::new (memory_of_atomics[atomics++]) atomic;
        unsigned index = rl::ctx().threadx_->atomic_init(made->impl_);
        made->last_index_ = index;
        made->history_[index] = made->value_ = cell->first;
        made->initialized_ = true;
        cell->atomic = made;
        cell->run = run;
    }
    return (atomic *)cell->atomic;
}

uint64_t
ftt_cell_load(ftt_cell *cell, memory_order order, ftt_line line)
{
    return of(cell)->load(orders[order], place(line));
}

void
ftt_cell_store(ftt_cell *cell, uint64_t value, memory_order order, ftt_line line)
{
    of(cell)->store(value, orders[order], place(line));
}

bool
ftt_cell_cas(ftt_cell *cell, uint64_t *seen, uint64_t value, memory_order order,
             memory_order failure, ftt_line line)
{
    return of(cell)->compare_exchange(rl::bool_t<false>(), *seen, value, orders[order],
                                      orders[failure], place(line));
}

uint64_t
ftt_cell_change(ftt_cell *cell, ftt_change change, uint64_t by, memory_order order, ftt_line line)
{
    switch (change) {
    case FTT_EXCHANGE:
        return of(cell)->exchange(by, orders[order], place(line));
    case FTT_ADD:
        return of(cell)->fetch_add(by, orders[order], place(line));
    case FTT_SUB:
        return of(cell)->fetch_sub(by, orders[order], place(line));
    case FTT_AND:
        return of(cell)->fetch_and(by, orders[order], place(line));
    default:
        return of(cell)->fetch_or(by, orders[order], place(line));
    }
}

/* Plain data, and what else a test asks for. */

static rl::var<long> *plain; /* the test's; has to be made by each run */

long
data_read(ftt_line line)
{
    return (*plain)(place(line));
}

void
data_write(long value, ftt_line line)
{
    (*plain)(place(line)) = value;
}

void
check(bool holds, const char *what, ftt_line line)
{
    if (!holds) {
        rl::ctx().fail_test(what, rl::test_result_user_assert_failed, place(line));
    }
}

void
give_way()
{
    rl::yield(1, $);
}

/* Threads and their memory. */

static ftt_thread threads[MOST_THREADS];
alignas(64) static unsigned char waiters[MOST_THREADS][sizeof(ftt_waiter)];
static int made_waiters;

ftt_thread *
ftt_current_thread()
{
    return &threads[rl::ctx().threadx_->index_];
}

extern "C" void *
__wrap_calloc(size_t count, size_t size)
{
    RL_VERIFY(count * size == sizeof(ftt_waiter) && made_waiters < MOST_THREADS);
    return waiters[made_waiters++];
}

/* The kernel. */

static struct {
    const void *address;
    rl::waitset<MOST_THREADS> threads;
} sleeps[MOST_THREADS];

static rl::waitset<MOST_THREADS> *
sleepers_on(const void *address)
{
    for (auto &each : sleeps) {
        if (each.address == address && each.threads.size_ > 0) {
            return &each.threads;
        }
    }
    for (auto &each : sleeps) {
        if (each.threads.size_ == 0) {
            each.address = address;
            return &each.threads;
        }
    }
    RL_VERIFY(false);
    return nullptr;
}

extern "C" long
__wrap_syscall(long number, ...)
{
    if (number == SYS_gettid) {
        return 1 + (long)rl::ctx().threadx_->index_;
    }
    va_list arguments;
    va_start(arguments, number);
    ftt_word *word = va_arg(arguments, ftt_word *);
    int operation = va_arg(arguments, int) & FUTEX_CMD_MASK;
    uint32_t value = va_arg(arguments, uint32_t);
    const void *timeout = va_arg(arguments, const void *);
    va_end(arguments);
    rl::context &search = rl::ctx();
    search.sched();
    if (operation == FUTEX_WAKE) {
        return sleepers_on(word)->unpark_one(search, $);
    }
    if (of(&word->cell)->value_ != value) {
        return failed_because(CHANGED);
    }
    rl::unpark_reason reason =
        sleepers_on(word)->park_current(search, timeout != nullptr, false, false, $);
    return reason == rl::unpark_reason_timeout ? failed_because(LATE) : 0;
}

extern "C" int
__wrap_sched_yield()
{
    give_way();
    return 0;
}

static ftt_time now;

ftt_time
ftt_now()
{
    now += rl::rand(2) ? 2 * FTT_PATIENCE : 1;
    return now;
}

ftt_time
ftt_time_run()
{
    return -1;
}

/* The interface to an interpreter (parking/blocking.h, parking/profiling.h). */

int
ftt_before_blocking()
{
    return 0;
}

void *
ftt_detach()
{
    return nullptr;
}

void
ftt_attach(void *)
{
}

bool
ftt_interruptible()
{
    return false;
}

int
ftt_run_handlers()
{
    return 0;
}

void
ftt_set_aside(ftt_aside *)
{
}

bool
ftt_set_aside_or_give_up(ftt_aside *)
{
    return false;
}

int
ftt_raise_again(ftt_aside *)
{
    return 0;
}

bool
ftt_finalizing()
{
    return false;
}

void
ftt_out_of_memory()
{
    RL_ASSERT(!"out of memory");
}

int
ftt_blocking_init()
{
    return 0;
}

void
ftt_blocking_after_fork()
{
}

void
ftt_profiling_after_fork()
{
}

void
ftt_blame_me(const void *, ftt_blame)
{
}

/* The search. */

extern ftt_bucket table[BUCKETS]; /* table.c */

static const test *running;

template <unsigned count> struct suite : rl::test_suite<suite<count>, count> {
    rl::var<long> data;

    void before()
    {
        run++;
        atomics = 0;
        now = 100 * FTT_PATIENCE;
        made_waiters = 0;
        memset(threads, 0, sizeof(threads));
        memset((void *)waiters, 0, sizeof(waiters));
        /* Left as they were by a run that failed: Relacy repeats that one, to tell its steps. */
        memset((void *)table, 0, sizeof(table));
        memset((void *)sleeps, 0, sizeof(sleeps));
        plain = &data;
        data_write(0);
        ftt_policy_follow(rl::rand(2)); /* whether waiters stay awake */
        atomic_store_explicit(&ftt_spin_limit, 1, memory_order_relaxed);
        running->before();
    }

    void thread(unsigned index)
    {
        running->thread(index);
    }

    void after()
    {
        running->after();
    }

    ~suite()
    {
        for (int i = 0; i < atomics; i++) {
            ((atomic *)memory_of_atomics[i])->~atomic();
        }
    }
};

/* search TEST RUNS: at random. */
int
main(int count, char **arguments)
{
    for (running = tests; running->name != nullptr; running++) {
        if (count == 3 && strcmp(arguments[1], running->name) == 0) {
            rl::test_params parameters;
            parameters.iteration_count = strtoull(arguments[2], nullptr, 10);
            parameters.search_type = rl::sched_random;
            parameters.execution_depth_limit = 20000;
            bool held = running->threads == 2 ? rl::simulate<suite<2>>(parameters)
                                              : rl::simulate<suite<3>>(parameters);
            return held ? 0 : 1;
        }
    }
    fprintf(stderr, "usage: %s TEST RUNS\n", arguments[0]);
    return 2;
}
