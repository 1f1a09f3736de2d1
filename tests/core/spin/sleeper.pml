/* A sleeper on Linux (os/futex.c) and who uses it, as a model for Spin: one thread that sleeps in
   calls one after the other, two that post it, and one that throws exceptions into its calls.  One
   step is one access to memory that others may change at that moment, or one system call.
   test_spin.py runs it.

   The queue is but a bit here: who takes the waiter out of it posts it, once, some time later; and
   looks under the bucket lock are one step.  What lock.pml and condition.pml take for granted:

     a post ends the sleep       or the next one, if it comes before that; not one after that one,
                                 though the poster's system call may come then
     without one it ends         only by its deadline, a signal, or an interrupt, and then the post
                                 that comes later is waited for by who has been chosen
     nobody sleeps for ever      except in the queue, with nothing thrown
     what is thrown              is raised or dropped by the call it was thrown into if
                                 ftt_waiter_throw() said so, and neither if it did not */

mtype = {AWAKE, ASLEEP, POSTED, INTERRUPTED};
mtype state = AWAKE;
bit in_kernel;
bit queued;
bit posts;       /* not in the core: has been taken out, and was not yet posted */
bit live, reader; /* ftt_call.state */
bit thrown;      /* ftt_call.thrown */

/* Not in the core: how many were raised or dropped, less what throw() has said to have been; whether
   it is at work; and, modulo 2, the number of the call and of the one that throw() has read. */
short balance;
bit throwing, call_number, aimed;

proctype sleeper()
{
    bit limited;  /* there are a deadline and signals */
    bit decided;  /* await_post() */

call:
    if
    :: goto end_of_sleeper
    :: limited = 0
    :: limited = 1
    fi;
    atomic { live = 1; call_number = !call_number }; /* call.c: ftt_call_begin() */

park: /* park.c: ftt_park_join(): nobody is left who would post */
    atomic { assert(!posts); state = AWAKE; queued = 1 };

    /* park.c: sleep_on() */
    if
    :: thrown -> goto leave
    :: !thrown
    fi;

sleep: /* futex.c: ftt_sleep() */
    if
    :: atomic { state == AWAKE -> state = ASLEEP }
    :: atomic { state != AWAKE -> assert(state == POSTED) }
    fi;
look:
    if
    :: state == POSTED -> goto woken
    :: atomic { state == INTERRUPTED -> state = AWAKE };
        if
        :: decided -> goto sleep
        :: !decided -> goto leave
        fi
    :: atomic { state == ASLEEP -> in_kernel = 1 } /* FUTEX_WAIT looks and sleeps in one step */
    fi;
    if
    :: !in_kernel -> goto look
    :: atomic { in_kernel && limited && !decided -> in_kernel = 0 }
    :: timeout -> /* nothing else can happen */
        assert(queued && !thrown);
        goto end_of_sleeper
    fi;
    if
    :: atomic { state == ASLEEP -> state = AWAKE }
    :: state != ASLEEP -> goto look
    fi;

leave: /* park.c: change_own() */
    if
    :: atomic { queued -> queued = 0 }
    :: atomic { !queued -> decided = 1; goto sleep }
    fi;
    /* park.c: run_handlers() */
    if
    :: atomic { thrown -> thrown = 0; balance++; assert(aimed == call_number); goto returns }
    :: !thrown -> goto park /* FTT_HANDLED */
    :: limited -> goto returns
    fi;

woken:
    atomic { assert(!queued && !posts); decided = 0 };
    if
    :: goto returns
    :: goto park /* to park again in the same call */
    fi;

returns: /* call.c: ftt_call_end() */
    live = 0;
    !reader;
    if
    :: atomic { thrown -> thrown = 0; balance++; assert(aimed == call_number) }
    :: !thrown
    fi;
    goto call;

end_of_sleeper:
    !throwing -> assert(balance == 0)
}

proctype poster()
{
    bit asleep;

    do
    :: atomic { queued -> queued = 0; posts = 1 };
        /* unpark.c: post() */
        atomic { asleep = (state == ASLEEP); state = POSTED; posts = 0 }; /* ftt_sleeper_post() */
        if
        :: atomic { asleep -> asleep = 0; in_kernel = 0 } /* ftt_sleeper_wake() */
        :: !asleep
        fi
    :: break
    od
}

proctype thrower()
{
    do
    :: atomic { live -> reader = 1; throwing = 1; aimed = call_number }; /* call.h: ftt_call_read() */
        /* thread.c: ftt_waiter_throw() */
        if
        :: atomic { !thrown -> thrown = 1 };
            if
            :: atomic { state == ASLEEP -> state = INTERRUPTED }; /* ftt_sleeper_interrupt() */
                in_kernel = 0;
                balance--
            :: state != ASLEEP ->
                if
                :: atomic { thrown -> thrown = 0 }
                :: atomic { !thrown -> balance-- }
                fi
            fi
        :: thrown
        fi;
        atomic { reader = 0; throwing = 0 }
    :: break
    od
}

init
{
    atomic {
        run sleeper();
        run poster();
        run poster();
        run thrower()
    }
}
