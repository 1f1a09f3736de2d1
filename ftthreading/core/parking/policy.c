/* How long to stay awake, and what this machine's sleeps cost (see policy.h). */

#define _GNU_SOURCE
#include <sched.h>

#include "lending.h"
#include "policy.h"
#include "thread.h"

#define SPIN_TIME 2000 /* ns */
#define LONGEST_GAP 8  /* pauses between two looks: rarer looks disturb the owner less */
#define MOST_TURNS 24
#define CROWD 4         /* times as long as the shortest: a yield that has run somebody else */
#define LEAST_YIELD 250 /* ns; no switch is shorter than CROWD times this */
#define MOST_BRIEF 4    /* waits */

static ftt_word gentle_waiters = 0;
static ftt_word parallel_now = 0;
static ftt_word measured = 0; /* pauses in SPIN_TIME */
/* ns; first guesses, until they are seen: */
static ftt_word yield_cost = 1000;  /* the shortest */
static ftt_word sleep_cost = 10000; /* from a post until the sleeper runs */

static void
set(ftt_word *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

void
ftt_policy_init(bool gentle)
{
    set(&gentle_waiters, gentle);
    if (gentle) {
        set(&measured, 0);
    }
    if (!gentle && ftt_load(&measured) == 0 && ftt_usable_cpus() > 1) {
        set(&measured, ftt_pauses_in(SPIN_TIME));
    }
}

void
ftt_policy_follow(bool parallel)
{
    uint32_t limit = parallel ? ftt_load(&measured) : 0;
    if (ftt_load(&ftt_spin_limit) != limit) {
        set(&ftt_spin_limit, limit);
    }
    bool may = parallel && !ftt_load(&gentle_waiters);
    if (ftt_load(&parallel_now) != may) {
        set(&parallel_now, may);
    }
}

ftt_time
ftt_budget(const ftt_pace *pace)
{
    ftt_time cost = ftt_load(&sleep_cost);
    return atomic_load_explicit(&pace->brief, memory_order_relaxed) > 0 ? 2 * cost : cost / 4;
}

ftt_time
ftt_budget_of_newcomer(void)
{
    return ftt_load(&sleep_cost);
}

ftt_awake
ftt_awake_begin(ftt_time budget, ftt_time deadline)
{
    ftt_awake me = {.gap = 1};
    if (ftt_load(&parallel_now)) {
        me.pauses = ftt_this_thread.crowded ? 0 : ftt_load(&ftt_spin_limit);
        me.turns = MOST_TURNS;
        me.began = me.now = ftt_now();
        me.until = me.began + budget;
        me.deadline = deadline;
    }
    return me;
}

bool
ftt_awake_pause(ftt_awake *me)
{
    if (me->pauses == 0) {
        return false;
    }
    uint32_t gap = me->gap < me->pauses ? me->gap : me->pauses;
    ftt_pause_times(gap);
    me->pauses -= gap;
    me->gap = me->gap < LONGEST_GAP ? me->gap * 2 : LONGEST_GAP;
    return true;
}

static void
learn_yield(ftt_awake *me, ftt_time took)
{
    ftt_time least = ftt_load(&yield_cost);
    if (took < least && took >= LEAST_YIELD) {
        set(&yield_cost, (uint32_t)took);
    }
    ftt_this_thread.crowded = took > CROWD * least;
    if (ftt_this_thread.crowded) {
        me->turns--;
    }
}

bool
ftt_awake_yield(ftt_awake *me)
{
    if (me->turns == 0) {
        return false;
    }
    ftt_loan loan;
    ftt_time end = ftt_this_thread.crowded ? me->began + FTT_LONG_TURN : me->until;
    if (me->now >= end || me->now >= me->deadline || !ftt_may_lend(&loan, me->now)) {
        return false;
    }
    ftt_lend(&loan, me->now);
    ftt_time before = ftt_now();
    sched_yield();
    me->now = ftt_now();
    learn_yield(me, me->now - before);
    if (!ftt_lent(&loan, me->now, me->now - before)) {
        me->turns = 0;
    }
    return true;
}

void
ftt_slept(void)
{
    if (ftt_load(&gentle_waiters)) {
        sched_yield();
    }
}

static void
note(ftt_pace *pace, bool was_brief)
{
    uint32_t brief = atomic_load_explicit(&pace->brief, memory_order_relaxed);
    uint32_t next = !was_brief ? brief / 2 : brief < MOST_BRIEF ? brief + 1 : brief;
    if (next != brief) {
        atomic_store_explicit(&pace->brief, (uint8_t)next, memory_order_relaxed);
    }
}

void
ftt_policy_learn(ftt_pace *pace, ftt_time began, ftt_time posted)
{
    ftt_time now = ftt_now(), cost = ftt_load(&sleep_cost), lasted = now - began;
    if (posted != 0) {
        ftt_time late = now > posted ? now - posted : 0;
        if (late < cost) {
            set(&sleep_cost, (uint32_t)(cost - (cost - late) / 4));
        }
        else if (late < FTT_LONG_TURN && !ftt_this_thread.crowded) { /* not in a run queue */
            ftt_time more = late - cost < cost ? late - cost : cost;
            set(&sleep_cost, (uint32_t)(cost + more / 32));
        }
        lasted = posted - began;
    }
    note(pace, lasted < 2 * cost);
}

void
ftt_policy_learn_vain(ftt_pace *pace, ftt_time began)
{
    if (ftt_now() - began >= 2 * (ftt_time)ftt_load(&sleep_cost)) {
        note(pace, false);
    }
}
