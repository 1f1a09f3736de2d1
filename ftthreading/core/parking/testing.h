/* Windows and planted bugs: how the tests of the core prove that they can fail.

   Nothing here exists in a normal build.  The C test program compiles the core again
   with -DFTT_WIDEN, which turns FTT_WINDOW() into a chance to yield at each point where
   another thread's step would hurt most, and with one of the FTT_PLANT_* macros, each of
   which breaks the core in one known way that a test must then report. */

#ifndef FTT_TESTING_H
#define FTT_TESTING_H

#ifdef FTT_WIDEN
void ftt_window(void); /* supplied by the test program: sometimes yields or sleeps */
#define FTT_WINDOW() ftt_window()
#else
#define FTT_WINDOW() ((void)0)
#endif

/* The order in which release publishes the critical section. */
#ifdef FTT_PLANT_WEAK_RELEASE
#define FTT_ORDER_RELEASE memory_order_relaxed
#else
#define FTT_ORDER_RELEASE memory_order_release
#endif

/* Park without looking at the word again under the bucket lock. */
#ifdef FTT_PLANT_NO_RECHECK
#define FTT_SKIP_RECHECK 1
#else
#define FTT_SKIP_RECHECK 0
#endif

/* Take a waiter off its queue, decide its verdict, and never tell it: one time in 64. */
#ifdef FTT_PLANT_DROP_WAKE
#define FTT_DROPS_WAKE(n) (((n) & 63) == 63)
#else
#define FTT_DROPS_WAKE(n) 0
#endif

/* Go back to sleep still holding the AWAKE bit (lock.c), as if it were given up. */
#ifdef FTT_PLANT_KEEP_AWAKE
#define FTT_KEEPS_AWAKE 1
#else
#define FTT_KEEPS_AWAKE 0
#endif

/* Begin the action of a closed generation although another's still runs (barrier.c). */
#ifdef FTT_PLANT_JUMP_TURN
#define FTT_JUMPS_TURN 1
#else
#define FTT_JUMPS_TURN 0
#endif

/* Leave by an exception with the turn, when just told to lead (barrier.c). */
#ifdef FTT_PLANT_KEEP_TURN
#define FTT_KEEPS_TURN 1
#else
#define FTT_KEEPS_TURN 0
#endif

/* Leave the bits of threads that a forked child does not have. */
#ifdef FTT_PLANT_FORGET_CLAIMS
#define FTT_FORGETS_CLAIMS 1
#else
#define FTT_FORGETS_CLAIMS 0
#endif

/* Let a timeout win over a verdict that was already decided. */
#ifdef FTT_PLANT_TIMEOUT_WINS
#define FTT_TIMEOUT_WINS 1
#else
#define FTT_TIMEOUT_WINS 0
#endif

/* Let a call end although somebody reads it (call.c). */
#ifdef FTT_PLANT_END_UNREAD
#define FTT_ENDS_UNREAD 1
#else
#define FTT_ENDS_UNREAD 0
#endif

#endif
