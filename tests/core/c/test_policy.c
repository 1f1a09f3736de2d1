/* Scenarios for the waiting policy: what it learns of waits and sleeps, and what follows. */

#include "harness.h"
#include "parking/lending.h"
#include "parking/policy.h"
#include "parking/thread.h"

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

static bool
lent(ftt_loan *loan, ftt_time now, ftt_time took)
{
    check(ftt_may_lend(loan, now), "a processor is shut");
    ftt_lend(loan, now);
    return ftt_lent(loan, now, took);
}

/* The times are made up, but for the time that this process runs. */
static void
judges_turns(const options *given)
{
    (void)given;
    const ftt_time turn = 4 * FTT_LONG_TURN, afterwards = 100 * turn;
    ftt_time now = ftt_now() + afterwards;
    ftt_loan loan;
    check(lent(&loan, now, turn), "one long turn is judged");
    check(lent(&loan, now, FTT_LONG_TURN), "a turn that is not long is judged");
    check(!lent(&loan, now, turn), "nobody of ours has run, and it counts as ours");
    check(now < *loan.shut && *loan.shut < now + afterwards, "the processor is not shut, or long");

    now = *loan.shut;
    check(ftt_may_lend(&loan, now), "it stays shut");
    ftt_lend(&loan, now);
    for (ftt_time ran = ftt_time_run(); ftt_time_run() < ran + turn;) {
        progress();
    }
    check(ftt_lent(&loan, now, turn), "one of ours has run, and it counts as another's");
    ftt_lend(&loan, now);
    check(ftt_lent(&loan, now, turn), "judged again at once");
    ftt_lend(&loan, now);
    check(loan.ran < 0, "to be judged again at once");
}

const scenario policy_scenarios[] = {
    {"waits", "who has waited briefly stays awake longer", learns_waits},
    {"sleeps", "what a sleep costs is measured", learns_sleeps},
    {"awake", "nobody stays awake for longer than it may", ends_in_time},
    /* The last one: it leaves a processor shut for a fifth of a second. */
    {"lending", "a processor that another program keeps is lent no more for a while", judges_turns},
    {NULL, NULL, NULL},
};
