/* The interface between waiting and the interpreter.

   Nothing below it knows about Python.  python/blocking.c implements it for CPython; the C test
   program has an implementation of its own, without an interpreter. */

#ifndef FTT_BLOCKING_H
#define FTT_BLOCKING_H

#include <stdbool.h>

/* How a blocking call ends. */
typedef enum {
    FTT_FAILED = -1, /* an exception is set */
    FTT_TIMED_OUT = 0,
    FTT_ACQUIRED = 1,
    FTT_HANDLED = 2,   /* signal handlers ran and none raised: look again, then go on */
    FTT_MUST_WAIT = 3, /* nothing was had without sleeping */
    FTT_FOREIGN = 4    /* the interpreter's algorithm has to go on with it (function.h) */
} ftt_outcome;

/* Before the first sleep of a blocking call.  Runs pending signal handlers.  -1 with an
   exception set if one raised or if the interpreter is finalizing and nobody is left who
   could end the wait. */
int ftt_before_blocking(void);

/* Lets go of the interpreter for the time of a sleep, and comes back.  A thread that stayed
   attached while asleep would hang the garbage collector, fork and exit of the process.
   ftt_attach() does not return to daemon threads once the interpreter is finalizing. */
void *ftt_detach(void);
void ftt_attach(void *detached);

/* Whether this thread is the one that runs signal handlers. */
bool ftt_interruptible(void);

/* Runs pending signal handlers; -1 with an exception set if one raised. */
int ftt_run_handlers(void);

/* Exceptions that have to wait until something else is finished.  All zero is none. */
typedef struct {
    void *exception;  /* of several, the first */
    bool interrupted; /* a KeyboardInterrupt came while a lock was awaited */
} ftt_aside;

/* Sets the current exception aside.  Later raises it again; -1 if there was one, else 0. */
void ftt_set_aside(ftt_aside *aside);
int ftt_raise_again(ftt_aside *aside);

/* The same for an exception that came while a lock was awaited without which the call should not
   end.  True at the second KeyboardInterrupt, or one of a subclass: then that is what will be
   raised, as the user insists on an end, with the lock or without it. */
bool ftt_set_aside_or_give_up(ftt_aside *aside);

/* Sets an exception that another thread has thrown into this one's call (call.h), or drops one that
   has come too late.  Both take the reference. */
void ftt_raise(void *exception);
void ftt_drop(void *exception);

/* True once woken threads can no longer come back to use what they are handed. */
bool ftt_finalizing(void);

/* Sets MemoryError. */
void ftt_out_of_memory(void);

/* Once before first use; -1 with an exception set. */
int ftt_blocking_init(void);

/* In the child of a fork, before anything else of ours. */
void ftt_blocking_after_fork(void);

#endif
