/* Scenarios for the waiting policy: what it learns of waits and sleeps, and what follows. */

#include "harness.h"
#include "policy.h"
#include "thread.h"

#define LONG ((ftt_time)1000 * 1000 * 1000) /* ns */

static void
learns_waits(const options *given)
{
    (void)given;
    ftt_pace pace = {0};
    ftt_time fresh = ftt_budget(&pace);
    ftt_policy_learn(&pace, ftt_now(), 0);
    check(ftt_budget(&pace) > ftt_budget_of_newcomer(), "a brief wait has changed nothing");
    for (int i = 0; i < 300; i++) {
        ftt_policy_learn(&pace, ftt_now(), 0);
    }
    for (int i = 0; i < 3; i++) {
        ftt_policy_learn(&pace, ftt_now() - LONG, 0);
    }
    check(ftt_budget(&pace) == fresh, "after three long waits the next is to be brief");
}

static void
learns_sleeps(const options *given)
{
    (void)given;
    ftt_pace pace = {0};
    ftt_time before = ftt_budget_of_newcomer();
    for (int i = 0; i < 10; i++) {
        ftt_policy_learn(&pace, ftt_now() - LONG, ftt_now());
    }
    ftt_time least = ftt_budget_of_newcomer();
    check(least < before && least >= 0, "%ld ns after sleeps that cost nothing", (long)least);
    for (int i = 0; i < 10; i++) {
        ftt_policy_learn(&pace, ftt_now() - LONG, ftt_now() - LONG / 2);
    }
    check(ftt_budget_of_newcomer() == least, "half a second in a run queue is no sleep's cost");
    for (int i = 0; i < 10000; i++) {
        ftt_policy_learn(&pace, ftt_now() - LONG, ftt_now() - 20000);
    }
    ftt_time budget = ftt_budget_of_newcomer();
    check(budget > 16000 && budget < 30000, "%ld ns after sleeps of 20 us", (long)budget);
}

static void
ends_in_time(const options *given)
{
    (void)given;
    ftt_time begin = ftt_now();
    ftt_awake awake = ftt_awake_begin(LONG, begin + 1000);
    uint32_t looks = 0;
    while (ftt_awake_yield(&awake)) {
        looks++;
    }
    /* Each costs some hundred nanoseconds at least, and of long ones only so many are made. */
    check(looks < 100, "%u looks in a microsecond", looks);
    check(!ftt_awake_yield(&awake), "one more");
    ftt_this_thread.crowded = true;
    awake = ftt_awake_begin(LONG, begin);
    check(!ftt_awake_yield(&awake), "a deadline does not count in a crowd");
    ftt_this_thread.crowded = false;
    ftt_policy_follow(false);
    awake = ftt_awake_begin(LONG, FTT_FOREVER);
    check(!ftt_awake_pause(&awake) && !ftt_awake_yield(&awake), "awake under the GIL");
    ftt_policy_follow(true);
}

const scenario policy_scenarios[] = {
    {"waits", "who has waited briefly stays awake longer", learns_waits},
    {"sleeps", "what a sleep costs is measured", learns_sleeps},
    {"awake", "nobody stays awake for longer than it may", ends_in_time},
    {NULL, NULL, NULL},
};
