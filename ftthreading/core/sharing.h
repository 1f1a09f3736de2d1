/* Reference counts of shared primitives.

   Threads that use one object take and drop references to it, and on a free-threaded build
   they fight over the count as over any shared word, however fast the lock itself is
   (gh-134761).  What helps depends on the version:

   from 3.14  deferred reference counting, public since then: the interpreter's stack no longer
              counts.  Its price is that only a garbage collection frees the object.  So it is
              enabled only for a primitive that has proved to be shared: used some times by
              other threads than its creator.
   3.13       nothing but immortality, which may be given only to an object that no other
              thread can know yet, and is for ever.  So it is given only to primitives made by
              the top-level code of a module, of which there are as many as such lines.  The
              environment variable FTTHREADING_IMMORTAL=0 turns it off.
   GIL build  nothing to do.  */

#ifndef FTT_SHARING_H
#define FTT_SHARING_H

#include <Python.h>

#include "thread.h"

#if defined(Py_GIL_DISABLED) && PY_VERSION_HEX >= 0x030E0000
#define FTT_DEFERS 1
#else
#define FTT_DEFERS 0
#endif

#if defined(Py_GIL_DISABLED) && !FTT_DEFERS
#define FTT_IMMORTALISES 1
#else
#define FTT_IMMORTALISES 0
#endif

/* How every primitive begins.  With 12 bytes of its own a Lock fills one cache line exactly,
   so that a contended call moves one line between processors and not two.  (A macro, as a
   struct would be padded.) */
#define FTT_OBJECT_HEAD                                                                           \
    PyObject_HEAD                                                                                 \
    ftt_word use; /* the creator's ftt_thread_id(), shifted; uses by others, up to STRANGERS */

typedef struct {
    FTT_OBJECT_HEAD
} ftt_object;

#define FTT_STRANGERS 64u
#define FTT_STRANGER_BITS 8

static inline uint32_t
ftt_use_by(uint64_t thread_id)
{
    return (uint32_t)thread_id << FTT_STRANGER_BITS;
}

/* tp_new of every primitive: all zero, but for the above. */
PyObject *ftt_object_new(PyTypeObject *type);

/* Reads the switch. */
void ftt_sharing_init(void);

void ftt_count_stranger(ftt_object *object);

/* Wherever a thread uses a primitive. */
static inline void
ftt_note_use(PyObject *self)
{
#if FTT_DEFERS
    ftt_object *object = (ftt_object *)self;
    uint32_t use = ftt_load(&object->use);
    if (use >> FTT_STRANGER_BITS != ftt_use_by(ftt_this_thread.id) >> FTT_STRANGER_BITS &&
        (use & ((1u << FTT_STRANGER_BITS) - 1)) < FTT_STRANGERS) {
        ftt_count_stranger(object);
    }
#else
    (void)self;
#endif
}

#endif
