/* To whom a processor can be lent (see lending.h).

   All of this is advice, read and overwritten without order or care.  What two threads write at
   the same time stands for one of the two. */

#define _GNU_SOURCE
#include <sched.h>

#include "lending.h"

#define PENALTY 8                             /* times as long as the turn took */
#define LONGEST_TURN ((ftt_time)20000 * 1000) /* ns; more: the process or the machine stood still */
#define PROCESSORS 256                        /* a power of two; more of them share what is known */

static ftt_long shut[PROCESSORS]; /* until when */
static ftt_long watching, calm;   /* the same, of the process */

static ftt_time
get(ftt_long *until)
{
    return atomic_load_explicit(until, memory_order_relaxed);
}

static void
set(ftt_long *until, ftt_time time)
{
    atomic_store_explicit(until, time, memory_order_relaxed);
}

bool
ftt_may_lend(ftt_loan *loan, ftt_time now)
{
#if FTT_OS_LINUX
    loan->shut = &shut[(unsigned)sched_getcpu() % PROCESSORS];
#else
    loan->shut = &shut[0];
#endif
    return now >= get(loan->shut);
}

void
ftt_lend(ftt_loan *loan, ftt_time now)
{
    loan->ran = now < get(&watching) ? ftt_time_run() : -1;
}

bool
ftt_lent(const ftt_loan *loan, ftt_time now, ftt_time took)
{
    if (took <= FTT_LONG_TURN || now < get(&calm)) {
        return true;
    }
    ftt_time until = now + PENALTY * (took < LONGEST_TURN ? took : LONGEST_TURN);
    if (loan->ran < 0) {
        set(&watching, until);
        return true;
    }
    ftt_time run = ftt_time_run();
    if (run < 0 || run - loan->ran >= took / 4 * 3) {
        set(&watching, 0);
        set(&calm, until);
        return true;
    }
    set(loan->shut, until);
    set(&watching, until + (until - now));
    return false;
}
