/* Lock and the parking table, as a model for Spin: three threads that acquire a lock, with or without
   a time limit and interrupted by signals at any moment, and release it.  test_spin.py runs it.

   Each block names the function of ftthreading/core that it stands for, and has its steps: one step
   of the model (a statement, or an atomic block) is one access to memory that others may change at
   that moment.  What only the holder of the bucket lock reads or writes is done together with its
   neighbours.  A compare-and-swap loop is its last turn; one before it has changed nothing.  Time is
   left out: a limit may run out, and a hand-over be due, whenever that is possible.  How a thread
   sleeps is in sleeper.pml, how a bucket is locked in raw_lock.pml; staying awake is a sleep here.

   What is checked, in every state that can be reached (assert, and Spin's invalid end states):

     no lost wake-up    nobody sleeps for ever: when nothing can happen any more, all threads have
                        returned (a thread may end after any number of rounds, so there is nobody
                        left who would wake a forgotten one by chance); and, before that, check()
     one owner          take(), hand_over(), and the critical section
     nothing left over  when all have ended the word is 0 and the queue is empty
     progress           with -DROUNDS no run goes on for ever (Spin's non-progress cycles)

   Variants:

     -DTHREADS=n   of them, instead of three
     -DROUNDS=n    each thread ends after n rounds, the first one after one more, and a wait is
                   interrupted once at most
     -DPATIENT     no time limits and no signals
     -DSTRAY       a thread may release a lock that another holds, or nobody */

#ifndef THREADS
#define THREADS 3
#endif
#define NOBODY THREADS

/* ftt_lock.word */
bit locked, parked, awake;

/* The bucket of its address: whether its lock is held, and its queue, oldest first.  A thread is its
   own waiter. */
bit bucket;
chan queue = [THREADS] of {byte};

/* ftt_waiter */
bit posted[THREADS];
mtype = {NONE, WAKE, HANDOFF};
mtype token[THREADS] = NONE;
byte claims; /* a bit for each */

/* Not in the core: who owns the lock, and how many threads have not ended. */
byte owner = NOBODY;
byte running = THREADS;

/* lock.c: "whenever the lock becomes free with PARKED set, somebody who is awake is bound to look at
   it"; an AWAKE that a fork may copy has its claim. */
inline check()
{
    assert(locked || !parked || awake);
    assert(!awake || claims != 0);
    assert(locked == (owner != NOBODY))
}

inline take()
{
    assert(owner == NOBODY);
    locked = 1;
    owner = me
}

inline hand_over()
{
    assert(owner != NOBODY);
    owner = oldest
}

inline let_go()
{
    assert(owner != NOBODY);
    locked = 0;
    owner = NOBODY
}

/* The AWAKE bit, if it is ours: contender.awake. */
inline clear_mine()
{
    if
    :: mine -> awake = 0
    :: else
    fi
}

/* lock.c: claim(), of nobody's word */
inline disclaim()
{
    claims = claims & ~(1 << me)
}

/* table.c: ftt_bucket_lock() and ftt_bucket_unlock() */
inline lock_bucket()
{
    atomic {
        !bucket;
        bucket = 1
    }
}

inline unlock_bucket()
{
    assert(empty(queue) || parked);
    bucket = 0
}

/* table.c: ftt_link().  Who returns takes its place by age, which is here any. */
inline link()
{
    others = len(queue);
    do
    :: returning -> queue!me; break
    :: others > 0 -> queue?oldest; queue!oldest; others--
    :: others == 0 && !returning -> queue!me; break
    od;
    do
    :: others > 0 -> queue?oldest; queue!oldest; others--
    :: else -> break
    od;
    oldest = NOBODY;
    returning = 1
}

active [THREADS] proctype thread()
{
    byte me = _pid;
    byte oldest = NOBODY; /* whom a release has chosen */
    byte others;          /* in the queue */
    bit limited;          /* the sleep may end by its deadline or by a signal */
    bit returning;        /* ftt_wait.returning */
    bit mine;             /* contender.awake: the AWAKE bit is ours */
#ifdef ROUNDS
    byte rounds = (_pid > 0);
#endif

start:
    atomic {
        limited = 0;
        returning = 0;
        oldest = NOBODY;
        if
        :: goto end_of_thread
#ifdef ROUNDS
        :: rounds <= ROUNDS -> rounds++
#else
        :: true
#endif
        fi;
        if
        :: true
#ifndef PATIENT
        :: limited = 1
#endif
#ifdef STRAY
        :: goto release
#endif
        fi
    }

    /* lock_word.h: ftt_lock_try().  backoff.c tries likewise, and has no other effect. */
    if
    :: atomic { !locked -> take(); check(); goto critical_section }
    :: locked
    fi;

    /* lock.c: contend() */
contend:
    if
    :: atomic {
            !locked;
            take();
            clear_mine();
            check()
        };
        atomic { disclaim(); mine = 0; check(); goto critical_section }
    :: locked
    fi;

    /* park.c: ftt_park_join() with lock.c: still_locked() */
    lock_bucket();
    if
    :: atomic { !locked -> unlock_bucket(); goto contend }
    :: atomic {
            locked; /* re-check */
            parked = 1;
            clear_mine();
            check()
        }
    fi;
    atomic {
        disclaim();
        mine = 0;
        check();
        posted[me] = 0;
        link();
        unlock_bucket()
    };

    /* park.c: stay_awake_or_sleep() */
    if
    :: posted[me] -> goto woken
    :: !posted[me] && limited
    fi;

    /* park.c: sleep_on() with change_own(), await_post() */
    lock_bucket();
    if
    :: atomic { !(queue??[eval(me)]) -> unlock_bucket() };
        posted[me];
        goto woken
    :: atomic { queue??[eval(me)] -> queue??eval(me); unlock_bucket() } /* ftt_unlink() */
    fi;
    if
    :: limited = 0; goto contend /* FTT_HANDLED */
#ifndef ROUNDS
    :: goto contend
#endif
    :: atomic { disclaim(); check(); goto start } /* out of time, or the handler raised */
    fi;

    /* lock.c: ftt_lock_wait(), FTT_PARK_WOKEN */
woken:
    atomic {
        assert(token[me] != NONE && !(queue??[eval(me)]));
        if
        :: token[me] == HANDOFF -> token[me] = NONE
        :: else -> token[me] = NONE; mine = 1; goto contend
        fi
    };

critical_section:
#ifndef STRAY
    assert(owner == me);
#endif

    /* lock.h: ftt_lock_release(); lock.c: ftt_lock_release_slow() */
release:
    if
    :: atomic { locked && (awake || !parked) -> let_go(); check(); goto start }
    :: atomic { !locked -> goto start } /* refused */
    :: locked && !awake && parked
    fi;

    /* unpark.c: ftt_unpark_one() with lock.c: choose() */
    lock_bucket();
choose:
    if
    :: atomic { !locked -> unlock_bucket(); goto start } /* refused */
    :: atomic {
            locked && empty(queue);
            parked = 0;
            let_go();
            check();
            unlock_bucket();
            goto start
        }
    :: atomic { locked && nempty(queue) && awake -> let_go(); check(); unlock_bucket(); goto start }
    :: atomic {
            locked && nempty(queue) && !awake; /* due */
            queue?oldest;
            parked = nempty(queue);
            hand_over();
            check();
            token[oldest] = HANDOFF;
            unlock_bucket()
        }
    :: atomic {
            locked && nempty(queue) && !awake;
            queue?<oldest>;
            claims = claims | (1 << oldest)
        };
        if
        :: atomic {
                locked && !awake;
                queue?oldest;
                awake = 1;
                parked = nempty(queue);
                let_go();
                check();
                token[oldest] = WAKE;
                unlock_bucket()
            }
        :: atomic { !locked || awake -> oldest = NOBODY; goto choose }
        fi
    fi;

    /* unpark.c: post() */
    atomic { posted[oldest] = 1; goto start };

end_of_thread:
    atomic {
        running--;
        assert(running > 0 || (!locked && !parked && !awake && empty(queue)))
    }
}
