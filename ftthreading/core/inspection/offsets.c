/* Where another process finds who waits for what in this one, by reading its memory.

   `python -m ftthreading dump PID` looks at a process that hangs and cannot answer
   (ftthreading/diagnostics/outside; docs/diagnostics.md says what it shows).  It searches the
   process's mapping of this library for the magic words, which begin the table below, takes it for
   the table if its `self` is where it was found, and then knows where the lists are and how what is
   in them is laid out: in this build, of whatever version, for whatever version of Python.  It is
   exported too, under the name ftthreading_offsets, for debuggers.

   Rules for who changes it:

     header     the fields before `self` stay what they are for ever, so that a reader of any
                version can tell that it does not understand the rest
     version    goes up with every change of the fields after it, of their order or of their
                meaning: a reader takes its own version only.  Values may change freely.

   Rules for who reads it: nothing stands still.  Waiters (`waiters`, linked by waiter_next) are
   recycled and never freed, so they can be read at any time; what one says is true if the call
   was live in it and nothing in it differs when it is read again after all else.  A call keeps its
   `object` alive, so what was read of the object is then true too.  Threads (`threads`, linked by
   thread_next) lie in memory that goes when they end: a walk may end in nothing, or elsewhere, and
   counts if a second one finds the same.

   Times are ns of CLOCK_MONOTONIC; call_until is INT64_MAX for ever.  Pointers and `unsigned long`
   (thread_ident, thread_native_id, call_ident, rlock_count) are of pointer_size bytes, numbers of
   threads (waiter_owner, thread_id, rlock_owner) and times of 8, call_state, the words of a Lock
   and `forks` of 4, call_reacquires of 1. */

#include <stddef.h>

#include "types/condition_object.h"
#include "types/types.h"

#define VERSION 2u

typedef struct {
    char magic[16];
    uint32_t byte_order; /* 0x01020304 */
    uint32_t version;
    uint32_t size; /* of all of it */
    uint32_t pointer_size;
    uint32_t python; /* PY_VERSION_HEX of the build */
    uint32_t free_threaded;

    const void *self;
    const void *waiters; /* the head of the list of all waiters */
    const void *threads; /* of the threads that have a number and have not ended */
    const void *forks;   /* how many lie between the first process and this one */
    /* The functions by which our Lock and RLock are known, as their tp_name may be another's
       (stand_in.h); our other types are known by theirs, "ftthreading.Condition" and so on. */
    destructor lock_dealloc, rlock_dealloc;

    uint32_t waiter_size, waiter_next, waiter_owner, waiter_key, waiter_call;
    /* In the waiter's call.  call_live: the bit of call_state that says that it goes on. */
    uint32_t call_state, call_live, call_reacquires, call_object, call_ident, call_began,
        call_until;
    /* thread_object: the address of its threading.Thread, as call_object has it for a join. */
    uint32_t thread_size, thread_next, thread_id, thread_ident, thread_native_id, thread_object,
        thread_name, thread_name_room;
    uint32_t object_type, type_name, type_base, type_dealloc;
    /* Lock and RLock objects.  lock_word is also what waiter_key points to while a thread waits
       for the lock; lock_holder: see ftt_lock_note(). */
    uint32_t lock_in_object, lock_word, lock_locked, lock_holder;
    uint32_t rlock_in_object, rlock_lock, rlock_owner, rlock_count;
    /* Condition objects: what waiter_key points to while a thread waits for a notification; and
       pointers to the lock in a Lock or RLock, and to the RLock in an RLock, or NULL. */
    uint32_t condition_lock, condition_rlock;
} offsets;

extern const offsets ftthreading_offsets;

__attribute__((used, visibility("default"))) const offsets ftthreading_offsets = {
    .magic = {'f', 't', 't', 'h', 'r', 'e', 'a', 'd', 'i', 'n', 'g', ' ', 't', 'a', 'b', 'l'},
    .byte_order = 0x01020304,
    .version = VERSION,
    .size = sizeof(offsets),
    .pointer_size = sizeof(void *),
    .python = PY_VERSION_HEX,
#ifdef Py_GIL_DISABLED
    .free_threaded = 1,
#endif

    .self = &ftthreading_offsets,
    .waiters = &ftt_waiters,
    .threads = &ftt_threads,
    .forks = &ftt_forks,
    .lock_dealloc = ftt_lock_dealloc,
    .rlock_dealloc = ftt_rlock_dealloc,

    .waiter_size = sizeof(ftt_waiter),
    .waiter_next = offsetof(ftt_waiter, next_made),
    .waiter_owner = offsetof(ftt_waiter, owner),
    .waiter_key = offsetof(ftt_waiter, key),
    .waiter_call = offsetof(ftt_waiter, call),

    .call_state = offsetof(ftt_call, state),
    .call_live = FTT_CALL_LIVE,
    .call_reacquires = offsetof(ftt_call, reacquires),
    .call_object = offsetof(ftt_call, object),
    .call_ident = offsetof(ftt_call, ident),
    .call_began = offsetof(ftt_call, began),
    .call_until = offsetof(ftt_call, until),

    .thread_size = sizeof(ftt_thread),
    .thread_next = offsetof(ftt_thread, next),
    .thread_id = offsetof(ftt_thread, id),
    .thread_ident = offsetof(ftt_thread, ident),
    .thread_native_id = offsetof(ftt_thread, native_id),
    .thread_object = offsetof(ftt_thread, object),
    .thread_name = offsetof(ftt_thread, name),
    .thread_name_room = sizeof(((ftt_thread *)NULL)->name),

    .object_type = offsetof(PyObject, ob_type),
    .type_name = offsetof(PyTypeObject, tp_name),
    .type_base = offsetof(PyTypeObject, tp_base),
    .type_dealloc = offsetof(PyTypeObject, tp_dealloc),

    .lock_in_object = offsetof(lock_object, lock),
    .lock_word = offsetof(ftt_lock, word),
    .lock_locked = FTT_LOCKED,
    .lock_holder = offsetof(ftt_lock, holder),

    .rlock_in_object = offsetof(rlock_object, rlock),
    .rlock_lock = offsetof(ftt_rlock, lock),
    .rlock_owner = offsetof(ftt_rlock, owner),
    .rlock_count = offsetof(ftt_rlock, count),

    .condition_lock = offsetof(condition_object, monitor.lock),
    .condition_rlock = offsetof(condition_object, monitor.rlock),
};
