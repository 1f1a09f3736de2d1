/* Lending one's processor by a yield: who gets it, and whether it had better be kept.

   A thread of our own program that runs meanwhile does what we wait for, or something else that
   has to be done, however long it takes.  Another program with much to do keeps the processor
   until the scheduler takes it away, some milliseconds later, while everybody here may be waiting
   for this one thread; and had it slept, it would have been let in at once.  (Without telling the
   two apart, hand-overs beside programs that keep all processors busy took up to a hundred times as
   long; or, where neither was lent to for some time after a long turn, programs whose threads share
   connections or a log file were a quarter slower.)

   The kernel does not say who had a processor.  It counts the time that the process as a whole
   has run.  A turn that one of ours had makes the whole of it; another program's turn makes half,
   if one of ours shares a second processor with that program.  So if it was less than three
   quarters of a long turn, another program had it.  Threads of ours that run on more processors
   can hide this: the process does not stand still then, though two threads of it that wait for
   each other may.

   The count is a system call that visits every thread of the process: 0.35 us, and 1.5 us with a
   hundred threads.  So turns are judged only while there is a reason to:

     indifferent   at first.  A long turn -> watching.
     watching      for PENALTY times as long as that turn took.  The next long turn is judged:
                   another's -> its processor is shut, ours -> calm.
     calm          for PENALTY times as long as the turn took: all are taken for ours.
     shut          one processor, for PENALTY times as long as the turn took, which bounds what is
                   lost that way to a small part of the time; and watching for as long again. */

#ifndef FTT_LENDING_H
#define FTT_LENDING_H

#include "os/os.h"

/* Shorter than the shortest slice of a scheduler, 0.7 ms on Linux; longer than a thread runs that
   hands something on. */
#define FTT_LONG_TURN ((ftt_time)500 * 1000) /* ns */

typedef struct {
    ftt_long *shut; /* until when the processor is */
    ftt_time ran;   /* by the process, before; -1 if that was not asked, or not told */
} ftt_loan;

/* Whether the processor that we run on can be lent now. */
bool ftt_may_lend(ftt_loan *loan, ftt_time now);

/* Before the yield. */
void ftt_lend(ftt_loan *loan, ftt_time now);

/* After a yield that took `took`.  False if the loan was a bad one. */
bool ftt_lent(const ftt_loan *loan, ftt_time now, ftt_time took);

#endif
