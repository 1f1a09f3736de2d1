/* Deferred reference counts (see sharing.h). */

#include "sharing.h"

PyObject *
ftt_shared_new(PyTypeObject *type)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (FTT_DEFERS && self != NULL) {
        atomic_store_explicit(&((ftt_shared *)self)->use, ftt_use_by(ftt_thread_id()),
                              memory_order_relaxed);
    }
    return self;
}

#if FTT_DEFERS

static _Atomic uint32_t deferred;

/* Ours alone are immutable: a class statement cannot make such a type. */
static bool
is_exact(PyObject *self)
{
    return (Py_TYPE(self)->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) != 0;
}

static bool
is_watched(PyObject *self)
{
    _Atomic(PyObject *) *list = (_Atomic(PyObject *) *)PyObject_GET_WEAKREFS_LISTPTR(self);
    return atomic_load_explicit(list, memory_order_relaxed) != NULL;
}

void
ftt_count_other_use(ftt_shared *object)
{
    /* At most one count too many for each thread: the bits suffice for 190 such threads, and
       beyond that the creator's number is spoilt, which costs a needless look at most. */
    uint32_t use = 1 + atomic_fetch_add_explicit(&object->use, 1, memory_order_relaxed);
    PyObject *self = (PyObject *)object;
    if ((use & ((1u << FTT_OTHER_USES_BITS) - 1)) == FTT_MOST_OTHER_USES && is_exact(self) &&
        !is_watched(self) &&
        atomic_load_explicit(&deferred, memory_order_relaxed) < FTT_MOST_DEFERRED &&
        atomic_fetch_add_explicit(&deferred, 1, memory_order_relaxed) < FTT_MOST_DEFERRED) {
        PyUnstable_Object_EnableDeferredRefcount(self);
    }
}

#endif
