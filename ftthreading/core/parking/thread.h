/* What the core knows of each thread: a number that is never used again, and the waiters
   with which it takes its place in queues.

   The number, not the pthread_t, says who owns an RLock: a new thread often gets the
   pthread_t of a dead one and would inherit its locks.

   A waiter is not on its thread's stack.  It must outlive a thread that the finalizing
   interpreter ends in the middle of a wait, and a late wake-up may still touch it after
   its wait is over.  So waiters are recycled and never freed: their number is that of the
   most waits there ever were at one time. */

#ifndef FTT_THREAD_H
#define FTT_THREAD_H

#include <stddef.h>

#include "call.h"

typedef struct ftt_waiter ftt_waiter;

struct ftt_waiter {
    ftt_sleeper sleeper;
    uint32_t token;            /* what the waker decided; readable once posted */
    _Atomic(const void *) key; /* the queue it is in, or NULL; changes under bucket locks */
    ftt_waiter *previous;      /* neighbours in the bucket */
    ftt_waiter *next;
    _Atomic ftt_time posted; /* when it was woken from its sleep, if it was; advice (policy.h) */
    ftt_time since;   /* when its wait for this queue began; bucket lock */
    ftt_time charged; /* until when its wait is charged to others (profiling.h); bucket lock */
    bool busy;        /* runs signal handlers meanwhile (barrier.c); bucket lock */
    uint64_t ticket;  /* for the primitive's own use; bucket lock */

    ftt_call call; /* for which it was taken */

    /* A state whose FTT_CLAIM_BIT this thread has set, or may be about to set.  In the child
       of a fork the bits of threads that no longer exist are taken back. */
    _Atomic(ftt_word *) claim;
    _Atomic(ftt_long *) long_claim;

    uint64_t owner;         /* the thread that has it; 0 while spare */
    ftt_waiter *next_spare; /* in its thread's spares or the common ones */
    ftt_waiter *next_made;  /* all waiters there are */
};

#define FTT_CLAIM_BIT 2u

typedef struct ftt_thread ftt_thread;

struct ftt_thread {
    uint64_t id;
    unsigned long ident; /* as threading.get_ident() */
    unsigned long native_id; /* as threading.get_native_id(); or 0 until somebody asks */
    ftt_waiter *spare;
    uint32_t blockings; /* calls that had to wait (blocking.c) */
    bool crowded;       /* its last yield has run somebody else (policy.h) */
    bool returning;     /* a Condition gets back a lock that only its methods can take (call.h) */
    ftt_keeper keeper;  /* on what the next blocking call waits (call.h) */
    ftt_time reacquires; /* since when a Condition's lock is awaited, while that is profiled */
    ftt_thread *previous, *next; /* of the threads that have a number and have not ended */
    void *object;                /* its threading.Thread while that runs, borrowed; else NULL */
    char name[48];               /* when it began, in UTF-8, cut; for who reads from outside */
};

/* musl and other loaders refuse initial-exec in a library that is loaded late. */
#if defined(__linux__) && defined(__GLIBC__)
#define FTT_TLS_MODEL __attribute__((tls_model("initial-exec")))
#else
#define FTT_TLS_MODEL
#endif

extern _Thread_local ftt_thread ftt_this_thread FTT_TLS_MODEL;

void ftt_thread_register(void);

static inline uint64_t
ftt_thread_id(void)
{
    if (ftt_this_thread.id == 0) {
        ftt_thread_register();
    }
    return ftt_this_thread.id;
}

/* Shows visit() each thread that has a number and has not ended, under a raw lock: a few lines of
   plain C. */
void ftt_thread_each(void (*visit)(void *argument, const ftt_thread *thread), void *argument);

/* For how long all threads that have a number have existed, ns together, since some time. */
ftt_time ftt_threads_time(void);

/* Throws an exception into the call of a waiter that the caller reads (call.h): its thread raises
   it instead of sleeping on.  False, and the reference stays the caller's, if it does not sleep. */
bool ftt_waiter_throw(ftt_waiter *waiter, void *exception);

/* All waiters there ever were: the first of them; next_made leads on. */
ftt_waiter *ftt_waiter_first(void);

/* The heads of both lists, for who reads them from outside (inspection/offsets.c). */
extern _Atomic(ftt_waiter *) ftt_waiters;
extern ftt_thread *ftt_threads;

/* How many forks lie between the first process and this one. */
extern uint32_t ftt_forks;

/* NULL when out of memory.  Give it back in the same thread. */
ftt_waiter *ftt_waiter_take(void);
void ftt_waiter_give_back(ftt_waiter *waiter);

/* The waiter takes back its claims, or never made them. */
static inline void
ftt_waiter_disclaim(ftt_waiter *waiter)
{
    atomic_store_explicit(&waiter->claim, NULL, memory_order_relaxed);
    atomic_store_explicit(&waiter->long_claim, NULL, memory_order_relaxed);
}

/* In the child of a fork: takes back the claims and the waiters of the threads that are
   gone, and shows keep() those of the calling thread. */
void ftt_thread_after_fork(void (*keep)(ftt_waiter *));

#endif
