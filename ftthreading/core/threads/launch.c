/* Launch: what a new thread calls first and last, so that its starter learns what became of it.

   Thread.start() gives it to the interpreter instead of the bound method `_bootstrap`, which it
   calls in turn, and waits until the thread's own `_started` event is set.  The interpreter's
   Thread sets that event once it runs; if it dies before, for want of memory say, nobody would
   (python/cpython gh-140746).  So the launch sets it then, and says that it failed.  It does so
   without an allocation: the event's state word is all that is touched.  A second event, `ended`,
   if it has been given one, is what join() waits for (join.c).

     claimed  failed  has_ended  the thread
     no       no      no         has not been asked for, or by another call of start()
     yes      no      no         is asked for, and listed in _limbo; perhaps it runs
     yes      no      yes        has come to its end; `listed`: before it left _limbo by itself
     yes      yes     no         dies before its event is set; it sets it, and leaves _limbo
     yes      yes     yes        died so

   claim() decides between several calls of start(), in one step that no signal handler divides
   (unless the thread's class brings a __hash__ or __eq__ written in Python) and that the
   registry's lock, which the caller holds, keeps from other threads.  Whoever finds the thread
   neither listed in _limbo nor with an ident lists it.  It stays there until start() has given
   up or the thread has registered itself, which is after it has got its ident; so there is no
   time at which a second claim could succeed.

   `failed`, `listed` and `has_ended` are written by the new thread, in this order, and read by the
   starter.  `failed` is stored before `started` is set, with release, and read after a wait that
   acquires; `has_ended` releases `listed`, for who looks for it again and again. */

#include "python/arguments.h"
#include "python/current.h"
#include "python/object.h"
#include "types/types.h"

/* Python.h says first which system's functions there are. */
#include <sched.h>
#include <time.h>

typedef struct {
    PyObject_HEAD
    PyObject *thread;
    PyObject *bootstrap;
    PyObject *forget;  /* called with a thread that is listed at its end, to take it out */
    PyObject *started; /* Events of ours; given once, before the launch is called */
    PyObject *ended;   /* may be NULL */
    PyObject *limbo;   /* where claim() has listed the thread; NULL if it has not */
    _Atomic bool failed;
    _Atomic bool listed;
    _Atomic bool has_ended;
} launch_object;

static launch_object *
cast(PyObject *self)
{
    return (launch_object *)self;
}

static PyObject *
launch_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *thread, *bootstrap, *forget;
    if (!PyArg_ParseTuple(args, "OOO:_Launch", &thread, &bootstrap, &forget)) {
        return NULL;
    }
    launch_object *self = (launch_object *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->thread = Py_NewRef(thread);
        self->bootstrap = Py_NewRef(bootstrap);
        self->forget = Py_NewRef(forget);
    }
    return (PyObject *)self;
}

/* With the registry's lock. */
static int
claim(launch_object *self, PyObject *limbo, PyObject *handle)
{
    PyObject *ident = ftt_attribute(handle, "ident");
    int made = ident == NULL ? -1 : PyObject_IsTrue(ident);
    Py_XDECREF(ident);
    int listed = made != 0 ? made : PySequence_Contains(limbo, self->thread);
    if (listed > 0) {
        PyErr_SetString(PyExc_RuntimeError, "threads can only be started once");
    }
    if (listed != 0 || PyObject_SetItem(limbo, self->thread, self->thread) < 0) {
        return -1;
    }
    self->limbo = Py_NewRef(limbo);
    return 0;
}

static int
call(PyObject *lock, const char *method)
{
    PyObject *answer = PyObject_CallMethod(lock, method, NULL);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

static void
set_event(PyObject *event)
{
    if (!ftt_event_set(ftt_event_of(event))) {
        ftt_event_put(ftt_event_of(event), true); /* foreign: start() looks at it now and then */
    }
}

/* After an exception: what it has interrupted counts as done if there is a thread, and else as
   not begun. */
static void
settle(launch_object *self, PyObject *lock, PyObject *handle)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *ident = ftt_attribute(handle, "ident");
    if (ident != NULL && PyObject_IsTrue(ident) == 1) {
        (void)PyObject_SetAttrString(self->thread, "_ident", ident);
        PyErr_Clear();
        if (self->started != NULL) {
            set_event(self->started);
        }
    }
    else {
        /* Another handler may raise before the lock is had: the first exception stands. */
        while (call(lock, "acquire") < 0 && !ftt_finalizing()) {
            PyErr_Clear();
        }
        (void)PyObject_DelItem(self->limbo, self->thread);
        PyErr_Clear();
        (void)call(lock, "release");
        PyErr_Clear();
    }
    Py_XDECREF(ident);
    PyErr_SetRaisedException(raised);
}

/* Whether the new thread settles everything itself, or has.  It may be anywhere in tell(). */
static bool
dies(launch_object *self)
{
    return atomic_load_explicit(&self->has_ended, memory_order_acquire) ||
           atomic_load_explicit(&self->failed, memory_order_acquire) ||
           atomic_load_explicit(&self->listed, memory_order_relaxed);
}

/* run(lock, _limbo, handle, steps): claims the thread, and calls steps(thread, launch, handle),
   which makes it and waits.  Here and not in Python, where a second handler could raise while the
   exception of the first is being dealt with. */
static PyObject *
launch_run(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    launch_object *self = cast(object);
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "run() needs a lock, _limbo, a handle and the steps");
        return NULL;
    }
    if (call(args[0], "acquire") < 0) {
        return NULL;
    }
    int claimed = claim(self, args[1], args[2]);
    PyObject *raised = PyErr_GetRaisedException();
    int released = call(args[0], "release");
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    PyObject *answer =
        claimed < 0 || released < 0
            ? NULL
            : PyObject_CallFunctionObjArgs(args[3], self->thread, object, args[2], NULL);
    if (answer == NULL && claimed == 0 && !dies(self)) {
        settle(self, args[0], args[2]);
    }
    return answer;
}

/* In the new thread, when all is over but for this. */
static void
tell(launch_object *self)
{
    if (!ftt_event_is_set(ftt_event_of(self->started))) {
        atomic_store_explicit(&self->failed, true, memory_order_release);
        set_event(self->started);
    }
    int listed = PySequence_Contains(self->limbo, self->thread);
    if (listed > 0) {
        atomic_store_explicit(&self->listed, true, memory_order_relaxed);
        PyObject *forgotten = PyObject_CallOneArg(self->forget, self->thread);
        listed = forgotten == NULL ? -1 : 0;
        Py_XDECREF(forgotten);
    }
    if (listed < 0) {
        PyErr_Clear(); /* the starter will try, if it still waits */
    }
    atomic_store_explicit(&self->has_ended, true, memory_order_release);
    if (self->ended != NULL) {
        set_event(self->ended);
    }
}

static PyObject *
launch_call(PyObject *self, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    if (cast(self)->started == NULL || cast(self)->limbo == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a launch without a claim");
        return NULL;
    }
    ftt_current_enter(cast(self)->thread);
    PyObject *answer = PyObject_CallNoArgs(cast(self)->bootstrap);
    ftt_current_leave();
    PyObject *raised = PyErr_GetRaisedException();
    tell(cast(self));
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return answer;
}

static PyObject *
launch_wait(PyObject *self, PyObject *seconds)
{
    PyObject *event = cast(self)->started;
    int64_t timeout;
    if (event == NULL || ftt_parse_wait(seconds, &timeout) < 0) {
        return event == NULL ? Py_NewRef(Py_False) : NULL;
    }
    ftt_event *started = ftt_event_of(event);
    ftt_time deadline;
    ftt_keep(event);
    ftt_outcome outcome = ftt_event_wait(started, timeout, &deadline);
    ftt_let_go(event);
    return outcome == FTT_FAILED ? NULL : PyBool_FromLong(outcome == FTT_ACQUIRED);
}

/* pause(microseconds): for who looks again and again.  Not time.sleep(), which programs replace:
   those that want no blocking calls in an event loop refuse it. */
static PyObject *
launch_pause(PyObject *Py_UNUSED(self), PyObject *microseconds)
{
    long pause = PyLong_AsLong(microseconds);
    if (pause == -1 && PyErr_Occurred()) {
        return NULL;
    }
    const struct timespec time = {0, pause * 1000};
    void *detached = ftt_detach();
    if (pause == 0) {
        sched_yield();
    }
    else {
        nanosleep(&time, NULL);
    }
    ftt_attach(detached);
    Py_RETURN_NONE;
}

/* The interpreter shows it when it reports what a thread died of. */
static PyObject *
launch_repr(PyObject *self)
{
    return PyObject_Repr(cast(self)->bootstrap);
}

static int
launch_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(cast(self)->thread);
    Py_VISIT(cast(self)->bootstrap);
    Py_VISIT(cast(self)->forget);
    Py_VISIT(cast(self)->started);
    Py_VISIT(cast(self)->ended);
    Py_VISIT(cast(self)->limbo);
    return 0;
}

static int
launch_clear(PyObject *self)
{
    Py_CLEAR(cast(self)->thread);
    Py_CLEAR(cast(self)->bootstrap);
    Py_CLEAR(cast(self)->forget);
    Py_CLEAR(cast(self)->started);
    Py_CLEAR(cast(self)->ended);
    Py_CLEAR(cast(self)->limbo);
    return 0;
}

static void
launch_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    launch_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
get_failed(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(atomic_load_explicit(&cast(self)->failed, memory_order_acquire));
}

static PyObject *
get_listed(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(atomic_load_explicit(&cast(self)->listed, memory_order_relaxed));
}

static PyObject *
get_has_ended(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(atomic_load_explicit(&cast(self)->has_ended, memory_order_acquire));
}

static int
give(PyObject **place, PyObject *event)
{
    if (event == NULL || ftt_event_of(event) == NULL || *place != NULL) {
        PyErr_SetString(PyExc_TypeError, "an Event of ours, once");
        return -1;
    }
    *place = Py_NewRef(event);
    return 0;
}

static int
give_started(PyObject *self, PyObject *event, void *Py_UNUSED(closure))
{
    return give(&cast(self)->started, event);
}

static int
give_ended(PyObject *self, PyObject *event, void *Py_UNUSED(closure))
{
    return give(&cast(self)->ended, event);
}

static PyMethodDef launch_methods[] = {
    {"run", FTT_FASTCALL(launch_run), METH_FASTCALL, NULL},
    {"wait", launch_wait, METH_O, NULL},
    {"pause", launch_pause, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef launch_getset[] = {
    {"failed", get_failed, NULL, NULL, NULL},
    {"listed", get_listed, NULL, NULL, NULL},
    {"has_ended", get_has_ended, NULL, NULL, NULL},
    {"started", NULL, give_started, NULL, NULL},
    {"ended", NULL, give_ended, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot launch_slots[] = {
    {Py_tp_new, launch_new},
    {Py_tp_dealloc, launch_dealloc},
    {Py_tp_traverse, launch_traverse},
    {Py_tp_clear, launch_clear},
    {Py_tp_call, launch_call},
    {Py_tp_repr, launch_repr},
    {Py_tp_methods, launch_methods},
    {Py_tp_getset, launch_getset},
    {0, NULL},
};

PyType_Spec ftt_launch_spec = {
    .name = "ftthreading._core._Launch",
    .basicsize = sizeof(launch_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = launch_slots,
};
