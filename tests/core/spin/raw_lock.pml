/* The raw lock on Linux (os/futex.c: ftt_raw_acquire(), ftt_raw_release()), under which the parking
   table keeps its queues, as a model for Spin: three threads that take it any number of times.  One
   step is one access to the word or one system call.  test_spin.py runs it.

   What is checked: one owner; and nobody sleeps for ever. */

#define THREADS 3
#define NOBODY THREADS

byte word; /* 0 free, 1 held, 2 held and somebody may sleep on it */
bit in_kernel[THREADS];
byte owner = NOBODY; /* not in the core */

active [THREADS] proctype thread()
{
    byte me = _pid;
    byte seen;

start:
    if
    :: goto end_of_thread
    :: true
    fi;

    /* ftt_raw_acquire(); its looks before the first exchange change nothing */
    if
    :: atomic { word == 0 -> word = 1; goto critical_section }
    :: word != 0
    fi;
contended:
    atomic { seen = word; word = 2 };
    if
    :: atomic { seen == 0 -> seen = 0; goto critical_section }
    :: seen != 0
    fi;
    if
    :: atomic { word == 2 -> in_kernel[me] = 1 }; /* FUTEX_WAIT looks and sleeps in one step */
        !in_kernel[me]
    :: word != 2
    :: true /* a signal */
    fi;
    goto contended;

critical_section:
    atomic { assert(owner == NOBODY); owner = me };
    owner = NOBODY;

    /* ftt_raw_release() */
    atomic { seen = word; word = 0 };
    if
    :: seen == 2
    :: atomic { seen != 2 -> seen = 0; goto start }
    fi;
    atomic { /* FUTEX_WAKE */
        seen = 0;
        if
        :: in_kernel[0] -> in_kernel[0] = 0
        :: in_kernel[1] -> in_kernel[1] = 0
        :: in_kernel[2] -> in_kernel[2] = 0
        :: else
        fi;
        goto start
    };

end_of_thread:
}
