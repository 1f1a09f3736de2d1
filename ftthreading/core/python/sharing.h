/* Reference counts of shared locks.

   Threads that use one object take and drop references to it, and on a free-threaded build
   they fight over the count as over any shared word, however fast the lock itself is
   (gh-134761).  From 3.14 there is deferred reference counting: what the interpreter's stack
   refers to is no longer counted, and only a garbage collection frees the object.  Before there
   is nothing but immortality, which is for ever.

   What that may cost: bytes, and not many.  A program must not see that a lock is freed late, so

     only a Lock or RLock of exactly our type.  An instance of a subclass, and of our other types,
         may have attributes, which would live on with it, their __del__ and their megabytes too;
         so would a barrier's action and the lock of a condition.
     only without weak references at that moment: with them somebody watches it, as a
         WeakValueDictionary of locks does.  One that is made later sees the lock die at the
         next collection.
     only one that has proved to be shared: used some times by other threads than its creator.
     only so many in a process, whatever it does: FTT_MOST_DEFERRED.

   Nothing becomes immortal: no rule keeps weak references and finalization as they are, and a
   loop of a module's top-level code would leak without end.

   What it brings, two threads on two processors in a loop of `with lock: pass`, the machine
   loaded, times as fast by the clock / in CPU time, medians of five rounds:

              lock in           global        attribute     closure       local variable
     3.14t    Lock, deferred    1.00 / 1.35   1.34 / 2.05   0.92 / 1.28   1.03 / 0.75
              RLock             1.70 / 1.31   2.03 / 1.67   1.26 / 1.32   1.14 / 1.36
     3.15t    Lock, deferred    1.26 / 1.37   1.59 / 1.52   1.48 / 1.43   0.87 / 0.95
              RLock             1.52 / 1.01   1.21 / 1.44   1.29 / 1.51   0.97 / 0.97
     3.13t    Lock, immortal    1.21 / 1.24   0.98 / 0.92   1.42 / 1.40   1.07 / 1.22
              RLock             1.20 / 1.14   1.03 / 0.79   1.33 / 1.17   0.82 / 1.15

   So deferring pays where users keep their locks, and immortality did not: not in an attribute,
   and it can be had only by code that runs once.  (3.15 itself defers what module variables
   refer to, of any type, attributes and all.)  */

#ifndef FTT_SHARING_H
#define FTT_SHARING_H

#include <Python.h>

#include "parking/thread.h"

#if defined(Py_GIL_DISABLED) && PY_VERSION_HEX >= 0x030E0000
#define FTT_DEFERS 1
#else
#define FTT_DEFERS 0
#endif

/* How a Lock and an RLock begin.  With that a Lock fills one cache line (lock_type.c checks it),
   so that a contended call moves one line between processors and not two.  (A macro, as a
   struct would be padded.) */
#define FTT_SHARED_HEAD                                                                           \
    PyObject_HEAD                                                                                 \
    ftt_word use; /* the creator's ftt_thread_id(), shifted; uses by others, counted */

typedef struct {
    FTT_SHARED_HEAD
} ftt_shared;

#define FTT_MOST_OTHER_USES 64u
#define FTT_OTHER_USES_BITS 8

/* More than programs have that many threads fight over, and less than 100 KB that may have to
   wait for a collection. */
#define FTT_MOST_DEFERRED 1024u

static inline uint32_t
ftt_use_by(uint64_t thread_id)
{
    return (uint32_t)thread_id << FTT_OTHER_USES_BITS;
}

/* tp_new of both: all zero, but for the above. */
PyObject *ftt_shared_new(PyTypeObject *type);

void ftt_count_other_use(ftt_shared *object);

/* Wherever a thread uses one. */
static inline void
ftt_note_use(PyObject *self)
{
#if FTT_DEFERS
    ftt_shared *object = (ftt_shared *)self;
    uint32_t use = ftt_load(&object->use);
    if (use >> FTT_OTHER_USES_BITS != ftt_use_by(ftt_this_thread.id) >> FTT_OTHER_USES_BITS &&
        (use & ((1u << FTT_OTHER_USES_BITS) - 1)) < FTT_MOST_OTHER_USES) {
        ftt_count_other_use(object);
    }
#else
    (void)self;
#endif
}

#endif
