/* What the core tells of threads, calls and holders, for ftthreading.diagnostics.

   All of it is read while everything runs, from any thread, and never waits for what it reads.
   What is read together need not have been true together: who wants to know whether something
   lasts, looks twice. */

#include "inspection.h"

#include "parking/table.h"
#include "types/types.h"

typedef struct {
    PyObject *object;
    uint64_t thread;
    unsigned long ident;
    ftt_time began, until;
    bool reacquires, queued;
} seen_call;

/* A copy, with references, of at most `room` calls; how many there are, or would be. */
static size_t
copy_calls(seen_call *calls, size_t room)
{
    void *here = PyInterpreterState_Get();
    size_t count = 0;
    for (ftt_waiter *waiter = ftt_waiter_first(); waiter != NULL; waiter = waiter->next_made) {
        ftt_call *call = &waiter->call;
        if (!ftt_call_read(call)) {
            continue;
        }
        if (count < room) {
            calls[count] = (seen_call){
                /* Another interpreter's objects are not to be touched from here. */
                .object = call->home != here ? NULL : Py_XNewRef((PyObject *)call->object),
                .thread = waiter->owner,
                .ident = call->ident,
                .began = call->began,
                .until = atomic_load_explicit(&call->until, memory_order_relaxed),
                .reacquires = atomic_load_explicit(&call->reacquires, memory_order_relaxed),
                .queued = ftt_key_of(waiter) != NULL,
            };
        }
        ftt_call_unread(call);
        count++;
    }
    return count;
}

static size_t
count_waiters(void)
{
    size_t count = 0;
    for (ftt_waiter *waiter = ftt_waiter_first(); waiter != NULL; waiter = waiter->next_made) {
        count++;
    }
    return count;
}

static PyObject *
tuple_of(const seen_call *call)
{
    PyObject *until = call->until == FTT_FOREVER ? Py_NewRef(Py_None)
                                                 : PyLong_FromLongLong(call->until);
    return Py_BuildValue("(KkOLNOO)", (unsigned long long)call->thread, call->ident,
                         call->object == NULL ? Py_None : call->object, (long long)call->began,
                         until, call->reacquires ? Py_True : Py_False,
                         call->queued ? Py_True : Py_False);
}

/* _calls(): blocking calls that go on: number and ident of the thread, the object or None, since
   when, until when or None (ns, monotonic clock), whether only the lock is awaited that the call
   has to come back with, and whether it is in a queue: not yet, or no longer, if it is awake or
   about to be. */
static PyObject *
calls_now(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    size_t room = count_waiters() + 16;
    seen_call *calls = PyMem_Calloc(room, sizeof(*calls));
    if (calls == NULL) {
        return PyErr_NoMemory();
    }
    size_t count = copy_calls(calls, room);
    count = count < room ? count : room;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < count; i++) {
        PyObject *tuple = list == NULL ? NULL : tuple_of(&calls[i]);
        if (tuple == NULL || PyList_Append(list, tuple) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(tuple);
        Py_XDECREF(calls[i].object);
    }
    PyMem_Free(calls);
    return list;
}

typedef struct {
    uint64_t id;
    unsigned long ident;
} seen_thread;

typedef struct {
    seen_thread *threads;
    size_t count, room;
} seen_threads;

static void
copy_thread(void *argument, const ftt_thread *thread)
{
    seen_threads *seen = argument;
    if (seen->count < seen->room) {
        seen->threads[seen->count] = (seen_thread){thread->id, thread->ident};
    }
    seen->count++;
}

/* _numbers(): the threads that have used a primitive and have not ended, ident by number. */
static PyObject *
numbers(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    seen_threads seen = {NULL, 0, 0};
    do {
        seen.room = seen.count + 16;
        seen.count = 0;
        PyMem_Free(seen.threads);
        seen.threads = PyMem_Calloc(seen.room, sizeof(*seen.threads));
        if (seen.threads == NULL) {
            return PyErr_NoMemory();
        }
        ftt_thread_each(copy_thread, &seen);
    } while (seen.count > seen.room);
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict != NULL && i < seen.count; i++) {
        PyObject *id = PyLong_FromUnsignedLongLong(seen.threads[i].id);
        PyObject *ident = PyLong_FromUnsignedLong(seen.threads[i].ident);
        if (id == NULL || ident == NULL || PyDict_SetItem(dict, id, ident) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(id);
        Py_XDECREF(ident);
    }
    PyMem_Free(seen.threads);
    return dict;
}

/* _number(): of the calling thread. */
static PyObject *
number(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromUnsignedLongLong(ftt_thread_id());
}

/* _holder(lock): number of the thread that holds an RLock, or that took a Lock last (its lower 31
   bits), and whether it is sure to be the one that will release it: it is an RLock, or a `with`
   statement took it.  None if it is free, or neither. */
static PyObject *
holder(PyObject *module, PyObject *lock)
{
    ftt_module_state *state = PyModule_GetState(module);
    uint64_t thread = 0;
    bool sure = true;
    if (ftt_is_rlock(lock)) {
        thread = atomic_load_explicit(&ftt_rlock_of(lock)->owner, memory_order_relaxed);
        if (thread == 0) {
            Py_RETURN_NONE;
        }
    }
    else if (PyObject_TypeCheck(lock, state->lock) && ftt_lock_locked(ftt_lock_of(lock))) {
        uint32_t word = ftt_load(&ftt_lock_of(lock)->holder);
        thread = word >> 1;
        sure = (word & 1) != 0;
    }
    else {
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(KO)", (unsigned long long)thread, sure ? Py_True : Py_False);
}

/* The locals of a frame as they are: a copy of a function's; a namespace itself, if it is a plain
   dictionary; NULL without an exception if it is anything else, which might run code. */
static PyObject *
locals_of(PyFrameObject *frame)
{
    PyObject *names = PyFrame_GetLocals(frame);
    if (names == NULL || PyDict_CheckExact(names)) {
        return names;
    }
    PyObject *copy = NULL;
    if (Py_IS_TYPE(names, &PyFrameLocalsProxy_Type)) {
        copy = PyDict_New();
        if (copy != NULL && PyDict_Update(copy, names) < 0) {
            Py_CLEAR(copy);
        }
    }
    Py_DECREF(names);
    return copy;
}

static PyObject *
one_frame(PyFrameObject *frame)
{
    PyObject *names = locals_of(frame);
    if (names == NULL && PyErr_Occurred()) {
        return NULL;
    }
    return Py_BuildValue("(NiNN)", PyFrame_GetCode(frame), PyFrame_GetLineNumber(frame),
                         names == NULL ? PyDict_New() : names, PyFrame_GetGlobals(frame));
}

static PyObject *
frames_from(PyFrameObject *frame, Py_ssize_t most)
{
    PyObject *list = PyList_New(0);
    Py_INCREF(frame);
    while (frame != NULL && list != NULL && PyList_GET_SIZE(list) < most) {
        PyObject *one = one_frame(frame);
        if (one == NULL || PyList_Append(list, one) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(one);
        Py_SETREF(frame, PyFrame_GetBack(frame));
    }
    Py_XDECREF(frame);
    return list;
}

/* _stack(thread, began, frame, most): the stack from that frame on, innermost first, if the thread
   of that number is in the call that it began then; else None.  For each frame its code, line,
   locals and globals.

   The thread stays in its call meanwhile, so its frames stand still.  All of it is C that runs no
   code of Python: no signal handler, finalizer or garbage collection comes between, which might
   wait for the thread, or fork. */
static PyObject *
stack(PyObject *Py_UNUSED(module), PyObject *args)
{
    unsigned long long thread;
    long long began;
    PyFrameObject *frame;
    Py_ssize_t most;
    if (!PyArg_ParseTuple(args, "KLO!n:_stack", &thread, &began, &PyFrame_Type, &frame, &most)) {
        return NULL;
    }
    for (ftt_waiter *waiter = ftt_waiter_first(); waiter != NULL; waiter = waiter->next_made) {
        if (!ftt_call_read(&waiter->call)) {
            continue;
        }
        bool found = waiter->owner == thread && waiter->call.began == began;
        PyObject *list = found ? frames_from(frame, most) : NULL;
        ftt_call_unread(&waiter->call);
        if (found) {
            return list;
        }
    }
    Py_RETURN_NONE;
}

/* _forks(): how many lie between the first process and this one. */
static PyObject *
forks(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromUnsignedLong(ftt_forks);
}

/* _throw(thread, began, exception): raises the exception in the call that the thread of that number
   began then, if it sleeps there at this moment; whether it does. */
static PyObject *
throw(PyObject *Py_UNUSED(module), PyObject *args)
{
    unsigned long long thread;
    long long began;
    PyObject *exception;
    if (!PyArg_ParseTuple(args, "KLO:_throw", &thread, &began, &exception)) {
        return NULL;
    }
    if (!PyExceptionInstance_Check(exception)) {
        PyErr_SetString(PyExc_TypeError, "an exception is needed");
        return NULL;
    }
    bool done = false;
    Py_INCREF(exception);
    for (ftt_waiter *waiter = ftt_waiter_first(); waiter != NULL && !done;
         waiter = waiter->next_made) {
        if (ftt_call_read(&waiter->call)) {
            done = waiter->owner == thread && waiter->call.began == began &&
                   !atomic_load_explicit(&waiter->call.reacquires, memory_order_relaxed) &&
                   ftt_waiter_throw(waiter, exception);
            ftt_call_unread(&waiter->call);
        }
    }
    if (!done) {
        Py_DECREF(exception);
    }
    return PyBool_FromLong(done);
}

PyMethodDef ftt_inspect_methods[] = {
    {"_calls", calls_now, METH_NOARGS, NULL},
    {"_numbers", numbers, METH_NOARGS, NULL},
    {"_number", number, METH_NOARGS, NULL},
    {"_holder", holder, METH_O, NULL},
    {"_stack", stack, METH_VARARGS, NULL},
    {"_forks", forks, METH_NOARGS, NULL},
    {"_throw", throw, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
