/* Scenarios for lock.c and rlock.h: a plain counter that only the lock protects.  Under
   ThreadSanitizer a wrong memory order shows as a race on it; without, a lost update. */

#include <sched.h>
#include <stddef.h>

#include "harness.h"
#include "primitives/rlock.h"

static const options *with;
static ftt_lock lock;
static ftt_rlock rlock;
static long counter;             /* plain: the lock under test guards it */
static _Atomic long expected;

static void
begin(const options *given)
{
    with = given;
    lock = (ftt_lock){0};
    rlock = (ftt_rlock){0};
    counter = 0;
    expected = 0;
}

static void
finish(void)
{
    check(counter == expected, "counter is %ld, not %ld", counter, (long)expected);
    check(ftt_load(&lock.word) == 0 || ftt_load(&lock.word) == FTT_PARKED,
          "the word is left at %u", ftt_load(&lock.word));
    check(ftt_lock_try(&lock), "the lock is left locked");
    ftt_lock_release(&lock);
}

static void
count_up(void)
{
    counter++;
    atomic_fetch_add_explicit(&expected, 1, memory_order_relaxed);
    progress();
}

/* A critical section that is now and then long enough for others to park, and now and then
   for a hand-over to fall due. */
static void
dawdle(void)
{
    uint32_t dice = roll() % 512;
    work(dice == 0 ? 1500000 : dice < 8 ? 20000 : 0);
}

static void
mutual_exclusion(int index)
{
    (void)index;
    for (int i = 0; i < with->rounds; i++) {
        check(ftt_lock_acquire(&lock, -1) == FTT_ACQUIRED, "acquire failed");
        count_up();
        dawdle();
        check(ftt_lock_release(&lock), "release found it unlocked");
    }
}

static void
run_mutual_exclusion(const options *given)
{
    begin(given);
    run_threads(with->threads, mutual_exclusion);
    finish();
}

static void
timeouts(int index)
{
    (void)index;
    for (int i = 0; i < with->rounds; i++) {
        uint32_t dice = roll();
        int64_t timeout = dice % 8 == 0 ? 0 : dice % 8 == 1 ? -1 : (int64_t)(dice >> 8) % 100000;
        ftt_time start = ftt_now();
        if (ftt_lock_acquire(&lock, timeout) == FTT_ACQUIRED) {
            count_up();
            dawdle();
            check(ftt_lock_release(&lock), "release found it unlocked");
        }
        else {
            check(timeout >= 0, "an acquire without a timeout timed out");
            check(ftt_now() - start >= timeout, "timed out early");
            progress();
        }
    }
}

static void
run_timeouts(const options *given)
{
    begin(given);
    run_threads(with->threads, timeouts);
    finish();
}

/* Two threads hand two locks to each other, so one releases what the other acquired. */
static ftt_lock ping, pong;

static void
hand_over(int index)
{
    ftt_lock *mine = index == 0 ? &ping : &pong;
    ftt_lock *theirs = index == 0 ? &pong : &ping;
    for (int i = 0; i < with->rounds; i++) {
        check(ftt_lock_acquire(mine, -1) == FTT_ACQUIRED, "acquire failed");
        check(counter == 2l * i + index, "turn %ld came at %d", counter, 2 * i + index);
        count_up();
        check(ftt_lock_release(theirs), "release found it unlocked");
    }
}

static void
run_hand_over(const options *given)
{
    begin(given);
    ping = pong = (ftt_lock){0};
    ftt_lock_acquire(&pong, -1);
    run_threads(2, hand_over);
    finish();
}

/* At most one of several threads that release at once finds the lock locked. */
static _Atomic long released;

static _Atomic int owners;

static void
releases(int index)
{
    if (index < 2) {
        for (int i = 0; i < with->rounds; i++) {
            if (ftt_lock_acquire(&lock, index == 0 ? -1 : 50000) == FTT_ACQUIRED) {
                atomic_fetch_add_explicit(&expected, 1, memory_order_relaxed);
            }
            progress();
        }
        atomic_fetch_sub(&owners, 1);
        return;
    }
    while (atomic_load(&owners) > 0 || ftt_lock_locked(&lock)) {
        if (ftt_lock_release(&lock)) {
            atomic_fetch_add_explicit(&released, 1, memory_order_relaxed);
        }
        else {
            sched_yield();
        }
    }
}

static void
run_releases(const options *given)
{
    begin(given);
    released = 0;
    owners = 2;
    run_threads(with->threads > 3 ? with->threads : 3, releases);
    if (ftt_lock_release(&lock)) {
        released++;
    }
    check(released == expected, "%ld releases of %ld acquisitions", (long)released,
          (long)expected);
    expected = 0;
    finish();
}

/* A thread that takes the lock again and again does not keep another one out. */
static _Atomic bool served;

static void
starvation(int index)
{
    if (index != 0) {
        while (!atomic_load_explicit(&served, memory_order_relaxed)) {
            ftt_lock_acquire(&lock, -1);
            work(50000);
            ftt_lock_release(&lock);
        }
        return;
    }
    for (int i = 0; i < with->rounds / 100 + 1; i++) {
        ftt_lock_acquire(&lock, -1);
        count_up();
        ftt_lock_release(&lock);
    }
    atomic_store_explicit(&served, true, memory_order_relaxed);
}

static void
run_starvation(const options *given)
{
    begin(given);
    served = false;
    run_threads(with->threads, starvation);
    finish();
}

static void
recursion(int index)
{
    (void)index;
    for (int i = 0; i < with->rounds; i++) {
        int depth = 1 + (int)(roll() % 3);
        int64_t timeout = roll() % 4 == 0 ? (int64_t)(roll() % 50000) : -1;
        if (ftt_rlock_acquire(&rlock, timeout) != FTT_ACQUIRED) {
            check(timeout >= 0, "an acquire without a timeout timed out");
            progress();
            continue;
        }
        for (int d = 1; d < depth; d++) {
            check(ftt_rlock_acquire(&rlock, 0) == FTT_ACQUIRED, "the owner was refused");
        }
        check(ftt_rlock_count(&rlock) == (unsigned long)depth, "wrong recursion count");
        count_up();
        for (int d = 0; d < depth; d++) {
            check(ftt_rlock_release(&rlock), "the owner could not release");
        }
        check(!ftt_rlock_is_owned(&rlock), "still owned");
        check(!ftt_rlock_release(&rlock), "released without owning it");
    }
}

static void
run_recursion(const options *given)
{
    begin(given);
    run_threads(with->threads, recursion);
    finish();
}

/* Handlers that use the very lock their thread waits for, and some that raise. */
static int
lock_handler(void)
{
    if (ftt_lock_acquire(&lock, (int64_t)(roll() % 20000)) == FTT_ACQUIRED) {
        count_up();
        ftt_lock_release(&lock);
    }
    return roll() % 4 == 0 ? -1 : 0;
}

static void
signals(int index)
{
    if (index % 2 == 0) {
        take_signals(lock_handler);
    }
    for (int i = 0; i < with->rounds; i++) {
        ftt_outcome outcome = ftt_lock_acquire(&lock, roll() % 2 == 0 ? -1 : 100000);
        if (outcome == FTT_ACQUIRED) {
            count_up();
            dawdle();
            check(ftt_lock_release(&lock), "release found it unlocked");
        }
        progress();
    }
    take_signals(NULL);
}

static void
run_signals(const options *given)
{
    begin(given);
    start_signal_storm();
    run_threads(with->threads, signals);
    stop_signal_storm();
    finish();
}

static _Thread_local int kept; /* acquisitions that a handler did not give back */

static int
rlock_handler(void)
{
    if (ftt_rlock_acquire(&rlock, (int64_t)(roll() % 20000)) == FTT_ACQUIRED) {
        count_up();
        if (kept == 0 && roll() % 2 == 0) {
            kept++;
        }
        else {
            ftt_rlock_release(&rlock);
        }
    }
    return roll() % 8 == 0 ? -1 : 0;
}

static void
recursive_signals(int index)
{
    if (index % 2 == 0) {
        take_signals(rlock_handler);
    }
    for (int i = 0; i < with->rounds; i++) {
        if (ftt_rlock_acquire(&rlock, -1) == FTT_ACQUIRED) {
            check(ftt_rlock_count(&rlock) == 1ul + (unsigned long)kept, "wrong recursion count");
            count_up();
            dawdle();
            check(ftt_rlock_release(&rlock), "the owner could not release");
        }
        for (; kept > 0; kept--) {
            check(ftt_rlock_release(&rlock), "the handler's acquisition is lost");
        }
        progress();
    }
    take_signals(NULL);
}

static void
run_recursive_signals(const options *given)
{
    begin(given);
    start_signal_storm();
    run_threads(with->threads, recursive_signals);
    stop_signal_storm();
    finish();
}

/* Two threads send each other numbers, and read one as soon as they see a lock unlocked. */
static ftt_lock gates[2];

static void
look(int index)
{
    ftt_lock *mine = &gates[index], *other = &gates[1 - index];
    for (int i = 0; i < with->rounds / 10 + 1; i++) {
        if (i > 0 || index == 1) {
            while (ftt_lock_locked(other)) {
                sched_yield();
            }
            check(counter == 2 * i + index - 1, "the number is %ld, not %d", counter,
                  2 * i + index - 1);
            check(ftt_lock_try(other), "the lock is locked again");
        }
        counter = 2 * i + index;
        ftt_lock_release(mine);
        progress();
    }
}

static void
run_look(const options *given)
{
    begin(given);
    gates[0] = gates[1] = (ftt_lock){.word = FTT_LOCKED};
    run_threads(2, look);
}

const scenario lock_scenarios[] = {
    {"exclusion", "one thread at a time", run_mutual_exclusion},
    {"timeouts", "a timeout loses nothing", run_timeouts},
    {"hand-over", "two threads take turns", run_hand_over},
    {"releases", "each acquisition is released once", run_releases},
    {"starvation", "everybody is served", run_starvation},
    {"look", "who sees it unlocked sees what came before", run_look},
    {"recursion", "the owner counts", run_recursion},
    {"signals", "handlers use the lock they interrupt", run_signals},
    {"rlock-signals", "handlers take the RLock they interrupt", run_recursive_signals},
    {NULL, NULL, NULL},
};
