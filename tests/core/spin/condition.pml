/* Condition (primitives/condition.c), as a model for Spin: three threads that take items, as
   programs do,

       with condition:
           while not items:
               if not condition.wait(limit): return
           items -= 1

   with or without a limit, with signal handlers that may raise, and one that adds two items, with a
   notify(1) after each or a notify(2) after both.  One step is one access to memory that others may
   change at that moment; test_spin.py runs it.  The lock is any that excludes; how a thread sleeps
   is in sleeper.pml.

   What is checked: a notification is not lost, not even by a time-out or an exception at the same
   moment (nobody sleeps while there is an item), nor made up (who is woken has been told, and who was
   told neither times out nor stays in the queue); `waiters` is the length of the queue. */

#define CONSUMERS 3

bit lock;
byte items;

byte waiters; /* ftt_condition.waiters */
bit bucket;
chan queue = [CONSUMERS] of {byte};

/* ftt_waiter */
bit posted[CONSUMERS];
bit token[CONSUMERS];

inline lock_bucket()
{
    atomic {
        !bucket;
        bucket = 1
    }
}

inline unlock_bucket()
{
    assert(waiters == len(queue));
    bucket = 0
}

inline acquire()
{
    atomic {
        !lock;
        lock = 1
    }
}

/* condition.h: ftt_condition_notify(); unpark.c: ftt_unpark_filter() with condition.c: notify_one()
   and recount().  Uses up `count`. */
inline notify()
{
    if
    :: waiters == 0
    :: waiters != 0 ->
        lock_bucket();
        atomic {
            do
            :: count > 0 && nempty(queue) ->
                queue?told;
                token[told] = 1;
                chosen = chosen | (1 << told);
                count--
            :: count == 0 || empty(queue) -> break
            od;
            waiters = len(queue);
            unlock_bucket()
        };
        do /* unpark.c: post() */
        :: atomic { chosen & 1 -> posted[0] = 1; chosen = chosen & ~1 }
        :: atomic { chosen & 2 -> posted[1] = 1; chosen = chosen & ~2 }
        :: atomic { chosen & 4 -> posted[2] = 1; chosen = chosen & ~4 }
        :: chosen == 0 -> break
        od
    fi;
    count = 0;
    told = 0
}

active [CONSUMERS] proctype consumer()
{
    byte me = _pid;
    byte count, told, chosen; /* notify()'s */
    bit limited;              /* a time limit may run out, and signals come */
    bit signalled;            /* handlers have to run */
    bit raised, notified;

    if
    :: limited = 0
    :: limited = 1
    fi;
    acquire();

again:
    if
    :: atomic { items > 0 -> items--; goto leave }
    :: items == 0
    fi;

    /* condition.c: ftt_condition_wait() */
    lock_bucket(); /* park.c: ftt_park_join() with condition.c: join() */
    atomic { waiters++; posted[me] = 0; queue!me; unlock_bucket() };
    lock = 0;

sleep: /* park.c: ftt_park_sleep() */
    if
    :: posted[me] -> goto woken
    :: !posted[me] && limited
    :: !posted[me] && limited -> signalled = 1
    :: timeout -> /* nothing else can happen */
        assert(items == 0 && queue??[eval(me)]);
        goto end_of_consumer
    fi;
    if
    :: signalled -> goto handle
    :: !signalled
    fi;
    lock_bucket(); /* park.c: change_own(), with condition.c: leave() on a time-out */
    if
    :: atomic { !(queue??[eval(me)]) -> unlock_bucket() }; goto await_post
    :: atomic { queue??[eval(me)] -> queue??eval(me); waiters--; unlock_bucket(); goto take_back }
    fi;

handle: /* park.c: handle_in_queue() */
    lock_bucket();
    if
    :: atomic { !(queue??[eval(me)]) -> unlock_bucket() }; goto await_post
    :: atomic { queue??[eval(me)] -> unlock_bucket() } /* BUSY */
    fi;
    if
    :: raised = 1
    :: true
    :: limited = 0
    fi;
    lock_bucket();
    if
    :: atomic { !(queue??[eval(me)]) -> unlock_bucket() }; goto await_post
    :: atomic { /* ftt_park_leave() */
            queue??[eval(me)] && raised;
            queue??eval(me);
            waiters--;
            unlock_bucket();
            goto take_back
        }
    :: atomic { /* BUSY_NO_MORE */
            queue??[eval(me)] && !raised;
            unlock_bucket();
            signalled = 0;
            goto sleep
        }
    fi;

await_post:
    posted[me];
woken:
    assert(token[me]);
    notified = 1;

take_back:
    assert(token[me] == notified && !(queue??[eval(me)]));
    acquire();
    if
    :: raised && notified -> count = 1; notify(); goto leave
    :: raised && !notified -> goto leave
    :: !raised && notified -> atomic { token[me] = 0; notified = 0; signalled = 0; goto again }
    :: !raised && !notified -> goto leave
    fi;

leave:
    lock = 0;
end_of_consumer:
}

active proctype producer()
{
    byte count, told, chosen;

    acquire();
    items++;
    if
    :: count = 1; notify(); lock = 0; acquire(); items++; count = 1; notify()
    :: items++; count = 2; notify()
    fi;
    lock = 0
}
