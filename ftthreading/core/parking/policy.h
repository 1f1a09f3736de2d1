/* How a waiter spends its time: awake, at first, and then asleep.

   Awake it can do two things between looks at what it waits for:

     pause   keeps its processor.  Right while whoever ends the wait runs on another one: a
             hand-over takes some hundred nanoseconds then.
     yield   lends its processor.  Right where more threads want to run than there are
             processors: whoever ends the wait gets this one at once, and nobody pays for a
             sleep and a wake-up.

   Which of the two it is, a yield tells by the time it takes: where nobody else wants the
   processor it is back at once, and costs a system call.  Where it takes longer the thread is
   in a crowd, and its next wait begins with yields; as soon as a yield is back at once, the
   next one begins with pauses again.

   How long: this is the ski-rental problem.  A wait that ends while awake costs what it lasts;
   one that ends asleep costs a sleep and a wake-up besides.  Who stays awake for as long as a
   sleep and a wake-up cost never pays more than twice what the best choice in hindsight costs
   (Karlin, Manasse, McGeoch, Owicki, "Competitive randomized algorithms for nonuniform
   problems", 1994).  That cost differs tenfold between machines, so it is measured: whoever
   wakes a sleeper notes the time, and the sleeper sees how late it is.

     not in a queue                awake for that cost
     in a queue, fresh, or long    awake for a quarter of it: most go on for long there
     waits lately
     in a queue, brief waits       awake for twice that cost, which may lose three times the best
     lately                        choice once, and then the next is a long one

   A wait is brief if it was over, but for the wake-up, within twice that cost.  So two threads
   that hand something to and fro and sleep each time, because each finds the other asleep, see
   brief waits, and stay awake from then on; while waits for something slow cost a fraction of
   the sleep that follows.  In a crowd it is the yields that are counted: each runs somebody else,
   and after MOST_TURNS of them, or half a millisecond, the thread had better be out of the way.

   Nobody yields a processor that another program would keep (lending.h): who would have yielded
   sleeps.

   Nobody stays awake under the GIL, whose holder cannot run on until we sleep (blocking.c asks).
   Nor do gentle waiters: see ftt_policy_init().

   All that is learnt is advice.  It is read and overwritten without order or care: no promise
   depends on it. */

#ifndef FTT_POLICY_H
#define FTT_POLICY_H

#include "os/pause.h"

/* A waiter that stays awake, or that the kernel puts in the place of the one who woke it, is off
   before that one has come to its next line.  Under threading this hardly happens, and there
   are programs that count on it.  So waiters can be made gentle: they do not stay awake, and when
   they have slept they yield their processor once before they go on.

   Measures the machine, the first time, or makes all waiters gentle. */
void ftt_policy_init(bool gentle);

/* Whether threads can run side by side at present. */
void ftt_policy_follow(bool parallel);

/* What a primitive remembers of the waits on it: how many of the last ones were brief. */
typedef struct {
    _Atomic uint8_t brief;
} ftt_pace;

/* The time awake of one wait.

       ftt_awake awake = ftt_awake_begin(budget, deadline);
       while (ftt_awake_pause(&awake) || ftt_awake_yield(&awake)) {
           if (what we wait for has come) {
               return true;
           }
       }
*/
typedef struct {
    uint32_t pauses, gap; /* left; in the next stretch */
    uint32_t turns;       /* of others, left */
    ftt_time began, now, until, deadline;
} ftt_awake;

/* Budgets, ns: of one who waits in a queue, and of one who does not (yet, or any more). */
ftt_time ftt_budget(const ftt_pace *pace);
ftt_time ftt_budget_of_newcomer(void);

ftt_awake ftt_awake_begin(ftt_time budget, ftt_time deadline);
bool ftt_awake_pause(ftt_awake *awake); /* false when it is time for something else */
bool ftt_awake_yield(ftt_awake *awake);

/* For who has slept: lets the one go first that woke it, if it is to be gentle. */
void ftt_slept(void);

/* A wait is over that began at `began`; `posted`, if it had slept, when it was woken; else 0. */
void ftt_policy_learn(ftt_pace *pace, ftt_time began, ftt_time posted);

/* The same for one that ran out of time. */
void ftt_policy_learn_vain(ftt_pace *pace, ftt_time began);

#endif
