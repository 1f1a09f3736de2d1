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

/* How every primitive begins. */
typedef struct {
    PyObject_HEAD
    uint64_t creator;           /* its ftt_thread_id() */
    _Atomic uint32_t strangers; /* uses by others, up to FTT_STRANGERS */
} ftt_object;

#define FTT_STRANGERS 64

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
    if (object->creator != ftt_this_thread.id &&
        atomic_load_explicit(&object->strangers, memory_order_relaxed) < FTT_STRANGERS) {
        ftt_count_stranger(object);
    }
#else
    (void)self;
#endif
}

#endif
