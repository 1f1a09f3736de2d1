/* The tests that search.cpp runs: each primitive's promises in a few calls. */

#include "search.h"

#include "primitives/barrier.h"
#include "primitives/condition.h"
#include "primitives/event.h"
#include "primitives/lock.h"
#include "primitives/semaphore.h"

#define FOREVER ((int64_t)-1)
#define BRIEF ((int64_t)1000)

static ftt_lock lock;
static ftt_rlock rlock;
static ftt_semaphore semaphore;
static ftt_event event;
static ftt_condition condition;
static ftt_barrier barrier;
static ftt_word items;
static long had;

static void
nothing()
{
}

template <typename T>
static void
renew(T *what)
{
    memset((void *)what, 0, sizeof(*what));
}

/* Lock. */

static void
new_lock()
{
    renew(&lock);
    had = 0;
}

static void
work()
{
    had++;
    data_write(data_read() + 1);
}

static void
lock_excludes(unsigned index)
{
    for (int i = 0; i < 2; i++) {
        ftt_outcome outcome = ftt_lock_acquire(&lock, index == 2 ? BRIEF : FOREVER);
        CHECK(outcome == FTT_ACQUIRED || index == 2);
        if (outcome == FTT_ACQUIRED) {
            work();
            CHECK(ftt_lock_release(&lock));
        }
    }
}

static void
lock_is_free()
{
    CHECK(data_read() == had);
    CHECK(ftt_lock_try(&lock));
}

/* One takes it past another one that has been woken for it. */
static void
lock_barges(unsigned index)
{
    if (index == 0) {
        data_write(1);
        while ((ftt_load(&lock.word) & FTT_PARKED) == 0) {
            give_way();
        }
        CHECK(ftt_lock_release(&lock));
        return;
    }
    if (index == 1) {
        CHECK(ftt_lock_acquire(&lock, FOREVER) == FTT_ACQUIRED);
    }
    else {
        while ((ftt_load(&lock.word) & FTT_AWAKE) == 0 && ftt_load(&items) == 0) {
            give_way();
        }
        if (!ftt_lock_try(&lock)) {
            return;
        }
    }
    CHECK(data_read() == 1);
    CHECK(ftt_lock_release(&lock));
    atomic_store_explicit(&items, 1, memory_order_relaxed);
}

static void
lock_looks(unsigned index)
{
    if (index == 0) {
        data_write(1);
        ftt_lock_release(&lock);
    }
    else {
        while (ftt_lock_locked(&lock)) {
            give_way();
        }
        CHECK(data_read() == 1);
    }
}

static void
new_taken_lock()
{
    new_lock();
    ftt_lock_try(&lock);
    renew(&items);
}

/* RLock. */

static void
new_rlock()
{
    renew(&rlock);
    had = 0;
}

static void
rlock_excludes(unsigned index)
{
    CHECK(!ftt_rlock_release(&rlock));
    ftt_outcome outcome = ftt_rlock_acquire(&rlock, index == 2 ? BRIEF : FOREVER);
    CHECK(outcome == FTT_ACQUIRED || index == 2);
    if (outcome == FTT_ACQUIRED) {
        work();
        CHECK(ftt_rlock_acquire(&rlock, FOREVER) == FTT_ACQUIRED);
        CHECK(ftt_rlock_release(&rlock));
        work();
        CHECK(ftt_rlock_release(&rlock));
    }
    CHECK(!ftt_rlock_release(&rlock));
}

static void
rlock_is_free()
{
    CHECK(data_read() == had);
    CHECK(ftt_lock_try(&rlock.lock));
}

/* Semaphore. */

static void
new_semaphore()
{
    renew(&semaphore);
    had = 0;
    ftt_semaphore_release(&semaphore, 1, 1);
}

static ftt_outcome
permit(int64_t timeout)
{
    ftt_time deadline;
    return ftt_semaphore_try(&semaphore) ? FTT_ACQUIRED
                                         : ftt_semaphore_wait(&semaphore, timeout, &deadline);
}

static void
permit_excludes(unsigned index)
{
    for (int i = 0; i < 2; i++) {
        ftt_outcome outcome = permit(index == 2 ? BRIEF : FOREVER);
        CHECK(outcome == FTT_ACQUIRED || index == 2);
        if (outcome == FTT_ACQUIRED) {
            work();
            CHECK(ftt_semaphore_release(&semaphore, 1, 1));
        }
    }
}

static void
permit_is_there()
{
    CHECK(data_read() == had);
    CHECK(ftt_semaphore_value(&semaphore) == 1);
}

static void
permit_looks(unsigned index)
{
    if (index == 0) {
        data_write(1);
        ftt_semaphore_release(&semaphore, 1, 2);
    }
    else {
        while (ftt_semaphore_value(&semaphore) != 2) {
            give_way();
        }
        CHECK(data_read() == 1);
    }
}

/* Event. */

static void
new_event()
{
    renew(&event);
}

static ftt_outcome
wait_for_event(int64_t timeout)
{
    ftt_time deadline;
    return ftt_event_wait(&event, timeout, &deadline);
}

static void
event_publishes(unsigned index)
{
    if (index == 0) {
        data_write(1);
        CHECK(ftt_event_set(&event));
        return;
    }
    ftt_outcome outcome = wait_for_event(index == 1 ? FOREVER : BRIEF);
    CHECK(outcome == FTT_ACQUIRED || index == 2);
    if (outcome == FTT_ACQUIRED) {
        CHECK(data_read() == 1);
    }
}

static void
event_looks(unsigned index)
{
    if (index == 1) {
        CHECK(wait_for_event(FOREVER) == FTT_ACQUIRED);
    }
    else if (index == 2) {
        while (!ftt_event_is_set(&event)) {
            give_way();
        }
        CHECK(data_read() == 1);
    }
    else {
        data_write(1);
        while (ftt_load(&event.word) == 0) {
            give_way();
        }
        ftt_event_set(&event);
    }
}

static void
new_set_event()
{
    renew(&event);
    renew(&items);
    ftt_event_set(&event);
}

/* event.h, on orders: an item between set() and clear(). */
static void
event_clears(unsigned index)
{
    if (index == 0) {
        atomic_store_explicit(&items, 1, memory_order_relaxed);
        ftt_event_set(&event);
        return;
    }
    ftt_event_clear(&event);
    if (ftt_load(&items) == 0) {
        CHECK(wait_for_event(FOREVER) == FTT_ACQUIRED);
        CHECK(ftt_load(&items) == 1);
    }
}

static void
event_looks_clear(unsigned index)
{
    if (index == 0) {
        data_write(1);
        ftt_event_clear(&event);
        return;
    }
    while (ftt_event_is_set(&event)) {
        give_way();
    }
    CHECK(data_read() == 1);
}

/* Condition. */

static void
new_condition()
{
    renew(&lock);
    renew(&condition);
}

static ftt_outcome
wait_for_notification(int64_t timeout)
{
    return ftt_condition_wait(&condition, {&lock, nullptr}, timeout);
}

/* One waits for an item, one for a notification that it passes on. */
static void
condition_notifies(unsigned index)
{
    CHECK(ftt_lock_acquire(&lock, FOREVER) == FTT_ACQUIRED);
    if (index == 0) {
        data_write(1);
        ftt_condition_notify(&condition, 1);
    }
    while (index == 1 && data_read() == 0) {
        CHECK(wait_for_notification(FOREVER) == FTT_ACQUIRED);
    }
    if (index == 2 && data_read() == 0 && wait_for_notification(BRIEF) == FTT_ACQUIRED) {
        ftt_condition_notify(&condition, 1);
    }
    CHECK(ftt_lock_release(&lock));
}

/* Who sees one counted sees what it did before, and who sees it gone what was done before that. */
static void
condition_counts(unsigned index)
{
    if (index == 0) {
        CHECK(ftt_lock_acquire(&lock, FOREVER) == FTT_ACQUIRED);
        data_write(1);
        CHECK(wait_for_notification(FOREVER) == FTT_ACQUIRED);
        return;
    }
    while (ftt_condition_waiters(&condition) == 0) {
        give_way();
    }
    CHECK(data_read() == 1);
    data_write(2);
    ftt_condition_notify(&condition, 1);
}

static void
condition_counts_down(unsigned index)
{
    if (index == 0) {
        CHECK(ftt_lock_acquire(&lock, FOREVER) == FTT_ACQUIRED);
        CHECK(wait_for_notification(FOREVER) == FTT_ACQUIRED);
    }
    else if (index == 1) {
        while (ftt_load(&items) == 0) {
            give_way();
        }
        data_write(1);
        while (ftt_condition_notify(&condition, 1) == 0) {
            give_way();
        }
    }
    else {
        while (ftt_condition_waiters(&condition) == 0) {
            give_way();
        }
        atomic_store_explicit(&items, 1, memory_order_relaxed);
        while (ftt_condition_waiters(&condition) != 0) {
            give_way();
        }
        CHECK(data_read() == 1);
    }
}

static void
new_condition_and_items()
{
    new_condition();
    renew(&items);
}

/* Barrier. */

static void
new_barrier_for(int64_t parties)
{
    renew(&barrier);
    ftt_barrier_init(&barrier, parties);
}

static void
new_barrier()
{
    new_barrier_for(3);
}

static bool
pass(int64_t timeout)
{
    ftt_arrival arrival;
    ftt_barrier_end end = ftt_barrier_wait(&barrier, timeout, &arrival);
    return end == FTT_BARRIER_LEADS ? ftt_barrier_trip(&barrier, arrival.generation, true)
                                    : end == FTT_BARRIER_PASSED;
}

/* Who passes sees what all did before they came; a second generation keeps writes and reads apart. */
static void
barrier_publishes(unsigned index)
{
    for (unsigned turn = 0; turn < 3; turn++) {
        if (turn == index) {
            data_write(1 + index);
        }
        CHECK(pass(FOREVER));
        CHECK(data_read() == 1 + turn);
        CHECK(pass(FOREVER));
    }
}

static void
barrier_is_empty()
{
    CHECK(ftt_barrier_count(&barrier) == 0 && !ftt_barrier_broken(&barrier));
}

/* One that times out breaks it for all, or nobody has. */
static bool passed[3];

static void
barrier_times_out(unsigned index)
{
    passed[index] = pass(index == 0 ? BRIEF : FOREVER);
}

static void
all_or_none_passed()
{
    CHECK(passed[0] == passed[1] && passed[1] == passed[2]);
    CHECK(ftt_barrier_broken(&barrier) != passed[0]);
}

/* Who finds it broken sees what came before abort(). */
static void
barrier_aborts(unsigned index)
{
    if (index == 0) {
        data_write(1);
        CHECK(ftt_barrier_abort(&barrier));
        return;
    }
    if (index == 1) {
        CHECK(!pass(FOREVER));
    }
    else {
        while (!ftt_barrier_broken(&barrier)) {
            give_way();
        }
    }
    CHECK(data_read() == 1);
}

/* Who sees one counted sees what it did before it came. */
static void
new_barrier_of_two()
{
    new_barrier_for(2);
}

static void
barrier_counts(unsigned index)
{
    if (index == 0) {
        data_write(1);
        CHECK(pass(FOREVER));
        return;
    }
    while (ftt_barrier_count(&barrier) == 0) {
        give_way();
    }
    CHECK(data_read() == 1);
    CHECK(pass(FOREVER));
}

/* Calls. */

static long raised, dropped, thrown;

void
ftt_raise(void *)
{
    CHECK(data_read() == 1);
    raised++;
}

void
ftt_drop(void *)
{
    dropped++;
}

static void
new_call()
{
    new_taken_lock();
    raised = dropped = thrown = 0;
}

static ftt_waiter *
caller()
{
    for (;;) {
        ftt_waiter *waiter = ftt_waiter_first();
        if (waiter != nullptr && ftt_call_read(&waiter->call)) {
            return waiter;
        }
        if (ftt_load(&items) != 0) {
            return nullptr;
        }
        give_way();
    }
}

/* What is thrown into a call ends it, and what came before is seen. */
static void
call_throws(unsigned index)
{
    if (index == 0) {
        if (ftt_lock_acquire(&lock, FOREVER) == FTT_FAILED) {
            CHECK(raised == 1);
        }
        return;
    }
    ftt_waiter *waiter = caller();
    data_write(1);
    thrown = ftt_waiter_throw(waiter, &raised);
    ftt_call_unread(&waiter->call);
    if (!thrown) {
        CHECK(ftt_lock_release(&lock));
    }
}

static void
thrown_was_raised()
{
    CHECK(thrown == raised + dropped);
}

/* What a call waits on stands until its readers have gone. */
static void
call_is_read(unsigned index)
{
    if (index == 0) {
        for (long i = 1; i < 4; i++) {
            data_write(i);
            CHECK(ftt_lock_acquire(&lock, BRIEF) == FTT_TIMED_OUT);
        }
        atomic_store_explicit(&items, 1, memory_order_relaxed);
        return;
    }
    for (ftt_waiter *waiter = caller(); waiter != nullptr; waiter = caller()) {
        long seen = data_read();
        give_way();
        CHECK(data_read() == seen);
        ftt_call_unread(&waiter->call);
    }
}

const test tests[] = {
    {"lock-excludes", 3, new_lock, lock_excludes, lock_is_free},
    {"lock-barges", 3, new_taken_lock, lock_barges, nothing},
    {"lock-looks", 2, new_taken_lock, lock_looks, nothing},
    {"rlock-excludes", 3, new_rlock, rlock_excludes, rlock_is_free},
    {"permit-excludes", 3, new_semaphore, permit_excludes, permit_is_there},
    {"permit-looks", 2, new_semaphore, permit_looks, nothing},
    {"event-publishes", 3, new_event, event_publishes, nothing},
    {"event-looks", 3, new_event, event_looks, nothing},
    {"event-clears", 2, new_set_event, event_clears, nothing},
    {"event-looks-clear", 2, new_set_event, event_looks_clear, nothing},
    {"condition-notifies", 3, new_condition, condition_notifies, nothing},
    {"condition-counts", 2, new_condition, condition_counts, nothing},
    {"condition-counts-down", 3, new_condition_and_items, condition_counts_down, nothing},
    {"barrier-publishes", 3, new_barrier, barrier_publishes, barrier_is_empty},
    {"barrier-times-out", 3, new_barrier, barrier_times_out, all_or_none_passed},
    {"barrier-aborts", 3, new_barrier, barrier_aborts, nothing},
    {"barrier-counts", 2, new_barrier_of_two, barrier_counts, nothing},
    {"call-throws", 2, new_call, call_throws, thrown_was_raised},
    {"call-is-read", 2, new_call, call_is_read, nothing},
    {nullptr, 0, nullptr, nullptr, nullptr},
};
