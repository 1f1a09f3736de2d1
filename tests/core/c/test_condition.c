/* Scenarios for condition.c: no notification is lost to a timeout, a signal or an exception,
   none is counted twice, and every wait ends with the lock held. */

#include <stddef.h>

#include "primitives/condition.h"
#include "harness.h"

static const options *with;
static ftt_condition condition;
static ftt_lock lock;
static ftt_rlock rlock;
static ftt_monitor monitor;
static long items; /* plain: the monitor guards it */
static _Atomic long made, got;

static void
begin(const options *given, bool recursive)
{
    with = given;
    condition = (ftt_condition){0};
    lock = (ftt_lock){0};
    rlock = (ftt_rlock){0};
    monitor = recursive ? (ftt_monitor){&rlock.lock, &rlock} : (ftt_monitor){&lock, NULL};
}

static void
enter(void)
{
    if (monitor.rlock != NULL) {
        while (ftt_rlock_acquire(&rlock, -1) != FTT_ACQUIRED) {
        }
    }
    else {
        while (ftt_lock_acquire(&lock, -1) != FTT_ACQUIRED) {
        }
    }
}

static void
leave(void)
{
    bool held = monitor.rlock != NULL ? ftt_rlock_release(&rlock) : ftt_lock_release(&lock);
    check(held, "the wait ended without the lock");
}

/* The one way to end a wait without the lock is the second interrupt while it is awaited, so at
   least two in one wait.  Only an RLock can be asked afterwards. */
static _Thread_local int interrupts;

static int
handler(void)
{
    uint32_t dice = roll() % 16;
    if (dice == 0 && monitor.rlock != NULL) {
        interrupts++;
        return INTERRUPT;
    }
    return dice < 2 ? -1 : 0;
}

/* A queue without a bound: consumers wait, with and without timeouts; each item is announced
   by one notify().  A lost notification ends in a standstill, as the producers stop. */
static void
consume(int index)
{
    if (index % 4 == 1) {
        take_signals(handler);
    }
    for (int i = 0; i < with->rounds; i++) {
        enter();
        while (items == 0) {
            int64_t timeout = index % 2 == 0 && roll() % 2 == 0 ? (int64_t)(roll() % 30000) : -1;
            interrupts = 0;
            ftt_outcome outcome = ftt_condition_wait(&condition, monitor, timeout);
            check(outcome != FTT_TIMED_OUT || timeout >= 0, "a wait without timeout timed out");
            check(outcome != FTT_HANDLED, "the wait found the lock free");
            if (monitor.rlock == NULL) {
                continue;
            }
            if (ftt_rlock_is_owned(&rlock)) {
                check(ftt_rlock_count(&rlock) == 1, "the count is wrong after a wait");
            }
            else {
                check(outcome == FTT_FAILED && interrupts >= 2, "the wait ended without the lock");
                enter();
            }
        }
        items--;
        atomic_fetch_add(&got, 1);
        leave();
        progress();
    }
    take_signals(NULL);
}

static void
produce(void)
{
    for (int i = 0; i < with->rounds; i++) {
        enter();
        items++;
        atomic_fetch_add(&made, 1);
        ftt_condition_notify(&condition, 1);
        leave();
        work(roll() % 64 == 0 ? 30000 : 0);
    }
}

static void
produce_or_consume(int index)
{
    if (index < with->threads / 2) {
        produce();
    }
    else {
        consume(index);
    }
}

static void
run_queue(const options *given, bool recursive)
{
    begin(given, recursive);
    items = 0;
    made = got = 0;
    start_signal_storm();
    run_threads(with->threads / 2 * 2, produce_or_consume);
    stop_signal_storm();
    check(items == 0 && made == got, "%ld made, %ld got, %ld left", (long)made, (long)got, items);
    check(ftt_condition_waiters(&condition) == 0, "somebody is left waiting");
    enter();
    leave();
}

static void
run_queue_lock(const options *given)
{
    run_queue(given, false);
}

static void
run_queue_rlock(const options *given)
{
    run_queue(given, true);
}

/* All wait; thread 0 notifies n at a time and counts who comes back. */
static _Atomic long returned;
static long waiting; /* plain, guarded by the lock */

static void
count_notified(int index)
{
    int others = with->threads - 1;
    int rounds = with->rounds / 100 + 1;
    if (index != 0) {
        for (int i = 0; i < rounds; i++) {
            enter();
            waiting++;
            check(ftt_condition_wait(&condition, monitor, -1) == FTT_ACQUIRED, "wait failed");
            atomic_fetch_add(&returned, 1);
            leave();
            progress();
        }
        return;
    }
    long told = 0;
    while (told < (long)others * rounds) {
        enter();
        long n = 1 + (long)(roll() % 3);
        long there = waiting;
        uint32_t notified = ftt_condition_notify(&condition, (uint64_t)n);
        check(notified == (uint32_t)(n < there ? n : there), "%u notified of %ld, asked for %ld",
              notified, there, n);
        waiting -= notified;
        told += notified;
        check(atomic_load(&returned) <= told, "more came back than were notified");
        leave();
        work(roll() % 4000);
    }
}

static void
run_count(const options *given)
{
    begin(given, false);
    waiting = 0;
    returned = 0;
    run_threads(with->threads, count_notified);
}

/* Thread 1 notifies thread 0 and keeps the lock until that one, interrupted again and again,
   has ended its wait. */
static _Atomic bool holds, ended;
static _Atomic int raised;

static int
interrupt(void)
{
    if (!atomic_load(&holds)) {
        return 0;
    }
    atomic_fetch_add(&raised, 1);
    return INTERRUPT;
}

static void
insist(int index)
{
    if (index == 1) {
        while (ftt_condition_waiters(&condition) == 0) {
        }
        enter();
        check(ftt_condition_notify(&condition, 1) == 1, "nobody was notified");
        atomic_store(&holds, true);
        while (!atomic_load(&ended)) {
        }
        leave();
        return;
    }
    enter();
    take_signals(interrupt);
    check(ftt_condition_wait(&condition, monitor, -1) == FTT_FAILED, "the wait did not fail");
    take_signals(NULL);
    check(atomic_load(&raised) == 2, "ended after %d interrupts", atomic_load(&raised));
    check(ftt_lock_locked(monitor.lock), "the holder has lost the lock");
    check(monitor.rlock == NULL || !ftt_rlock_is_owned(&rlock), "two have the lock");
    atomic_store(&ended, true);
    progress();
}

static void
run_way_out(const options *given)
{
    start_signal_storm();
    for (int i = 0; i < given->rounds / 100 + 1; i++) {
        begin(given, i % 2 == 0);
        holds = ended = false;
        raised = 0;
        run_threads(2, insist);
        enter();
        leave();
    }
    stop_signal_storm();
}

/* A signal handler gives the lock away as the wait begins; thread 1 takes an RLock. */
static _Atomic int turn; /* 1: take it, 2: taken, 3: release it */

static void
give_away(void)
{
    leave();
    if (monitor.rlock != NULL) {
        atomic_store(&turn, 1);
        while (atomic_load(&turn) != 2) {
        }
    }
}

static void
lose(int index)
{
    if (index == 1) {
        while (monitor.rlock != NULL && atomic_load(&turn) != 1) {
        }
        if (monitor.rlock != NULL) {
            enter();
            atomic_store(&turn, 2);
            while (atomic_load(&turn) != 3) {
            }
            check(ftt_rlock_is_owned(&rlock), "an ownership was taken away");
            leave();
        }
        return;
    }
    enter();
    before_next_wait(give_away);
    check(ftt_condition_wait(&condition, monitor, 1000) == FTT_HANDLED, "waited without lock");
    check(ftt_condition_waiters(&condition) == 0, "left in the queue");
    atomic_store(&turn, 3);
    progress();
}

static void
run_given_away(const options *given)
{
    for (int i = 0; i < given->rounds / 100 + 1; i++) {
        begin(given, i % 2 == 0);
        turn = 0;
        run_threads(2, lose);
    }
}

const scenario condition_scenarios[] = {
    {"queue-lock", "no notification is lost (Lock)", run_queue_lock},
    {"queue-rlock", "no notification is lost (RLock)", run_queue_rlock},
    {"notify-n", "n are notified, oldest first", run_count},
    {"way-out", "the second interrupt ends a wait for the lock", run_way_out},
    {"given-away", "nobody's lock is released but the caller's", run_given_away},
    {NULL, NULL, NULL},
};
