/* The types the module makes, and what its module keeps of them. */

#ifndef FTT_TYPES_H
#define FTT_TYPES_H

#include <Python.h>

#include "primitives/event.h"
#include "primitives/rlock.h"
#include "python/function.h"
#include "python/sharing.h"

extern PyModuleDef ftt_module;

/* What a recorder is told (recorder.h). */
enum { FTT_MADE, FTT_WANTED, FTT_TAKEN, FTT_WAITS, FTT_RELEASED, FTT_EVENTS };

typedef struct {
    PyTypeObject *lock_class; /* the metaclass of the next two */
    PyTypeObject *lock;
    PyTypeObject *rlock;
    PyTypeObject *condition;
    PyTypeObject *semaphore;
    PyObject *threading;
    PyObject *their_rlock; /* threading.RLock, as it was when we were loaded */
    PyObject *recorder[FTT_EVENTS];
    _Atomic bool tracing;
} ftt_module_state;

extern PyType_Spec ftt_lock_spec;
extern PyType_Spec ftt_rlock_spec;
extern PyType_Spec ftt_condition_spec;
extern PyType_Spec ftt_semaphore_spec;
extern PyType_Spec ftt_bounded_semaphore_spec;
extern PyType_Spec ftt_event_spec;
extern PyType_Spec ftt_barrier_spec;
extern PyType_Spec ftt_launch_spec;

/* The C in the functions of the types that have functions of the interpreter's. */
extern const ftt_function ftt_condition_functions[];
extern const ftt_function ftt_semaphore_functions[];
extern const ftt_function ftt_bounded_semaphore_functions[];
extern const ftt_function ftt_event_functions[];
extern const ftt_function ftt_barrier_functions[];

extern PyMethodDef ftt_barrier_module_methods[];
extern PyMethodDef ftt_join_methods[];

/* The methods in C; tracing.c exchanges some. */
extern PyMethodDef ftt_lock_methods[];
extern PyMethodDef ftt_rlock_methods[];
extern PyMethodDef ftt_condition_methods[];

PyObject *ftt_rlock_release_save_method(PyObject *self, PyObject *ignored);
PyObject *ftt_rlock_acquire_restore_method(PyObject *self, PyObject *state);

typedef struct {
    FTT_SHARED_HEAD
    ftt_lock lock;
} lock_object;

typedef struct {
    FTT_SHARED_HEAD
    ftt_rlock rlock;
} rlock_object;

/* Like classes written in Python: with subclasses, attributes of instances and of the class,
   and weak references. */
#define FTT_CLASS_FLAGS                                                                           \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_MANAGED_DICT |    \
     Py_TPFLAGS_MANAGED_WEAKREF)

/* Around what may sleep in a method of `keeper`: it is kept alive (park.c), and others are told
   that this thread waits for it (call.h). */
static inline void
ftt_keep(PyObject *keeper)
{
    Py_INCREF(keeper);
    ftt_this_thread.keeper = (ftt_keeper){keeper, PyInterpreterState_Get()};
}

static inline void
ftt_let_go(PyObject *keeper)
{
    ftt_this_thread.keeper = (ftt_keeper){NULL, NULL};
    Py_DECREF(keeper);
}

/* The C locks in instances of exactly these types, for Condition. */
ftt_lock *ftt_lock_of(PyObject *lock);
ftt_rlock *ftt_rlock_of(PyObject *rlock);

/* By which their types are known, whatever name and module they show (stand_in.h). */
void ftt_lock_dealloc(PyObject *self);
void ftt_rlock_dealloc(PyObject *self);

/* Whether it is an RLock of ours, or of a subclass. */
bool ftt_is_rlock(PyObject *lock);

/* The C event in an instance of exactly Event; NULL for any other object. */
ftt_event *ftt_event_of(PyObject *event);

#endif
