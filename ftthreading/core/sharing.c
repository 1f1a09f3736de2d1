/* Deferred reference counts and immortality (see sharing.h). */

#include "sharing.h"

#include <stdlib.h>
#include <string.h>

#if FTT_IMMORTALISES

static _Atomic bool immortalises; /* set again, alike, by each interpreter that imports us */

/* Whether the code that runs now is the top level of a module. */
static bool
at_module_level(void)
{
    PyFrameObject *frame = PyEval_GetFrame();
    if (frame == NULL) {
        return false;
    }
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool function = (code->co_flags & CO_OPTIMIZED) != 0;
    Py_DECREF(code);
    if (function) {
        return false;
    }
    /* A class body is not optimised either, but has names of its own. */
    PyObject *locals = PyFrame_GetLocals(frame);
    PyObject *globals = PyFrame_GetGlobals(frame);
    bool same = locals == globals;
    if (locals == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(locals);
    Py_XDECREF(globals);
    return same;
}

/* Nobody else knows the object yet.  It leaves the collector's lists, as what is never freed
   need not be looked at; what it refers to stays alive by its references. */
static void
immortalise(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_SET_REFCNT(self, (Py_ssize_t)1 << 40);
}

#endif

void
ftt_sharing_init(void)
{
#if FTT_IMMORTALISES
    const char *value = getenv("FTTHREADING_IMMORTAL");
    immortalises = value == NULL || strcmp(value, "0") != 0;
#endif
}

PyObject *
ftt_object_new(PyTypeObject *type)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        atomic_store_explicit(&((ftt_object *)self)->use, ftt_use_by(ftt_thread_id()),
                              memory_order_relaxed);
#if FTT_IMMORTALISES
        if (immortalises && at_module_level()) {
            immortalise(self);
        }
#endif
    }
    return self;
}

void
ftt_count_stranger(ftt_object *object)
{
#if FTT_DEFERS
    /* At most one count too many for each thread: the bits suffice for 190 such threads, and
       beyond that the creator's number is spoilt, which costs a needless look at most. */
    uint32_t use = 1 + atomic_fetch_add_explicit(&object->use, 1, memory_order_relaxed);
    if ((use & ((1u << FTT_STRANGER_BITS) - 1)) == FTT_STRANGERS) {
        PyUnstable_Object_EnableDeferredRefcount((PyObject *)object);
    }
#else
    (void)object;
#endif
}
