/* The contention profile for Python: beginning, reading, ending.

   A reader holds a reference to the session, and copies one entry at a time under the guard. */

#include "session.h"

#include <stdlib.h>

/* _profile_start(): waits are recorded until _profile_stop() has been called as often; whether they
   were not before. */
static PyObject *
start(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    void *here = PyInterpreterState_Get();
    ftt_session *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL) {
        return PyErr_NoMemory();
    }
    fresh->last = &fresh->first;
    fresh->references = 1;
    fresh->began = ftt_now();
    ftt_raw_acquire(&ftt_session_guard);
    bool another = ftt_session_users > 0 && ftt_profiling != here;
    if (ftt_session_users == 0) {
        for (int i = 0; i < FTT_KINDS; i++) {
            atomic_store_explicit(&ftt_rates[i], 1, memory_order_relaxed);
            fresh->window[i] = fresh->began;
        }
        ftt_session_now = fresh;
        fresh = NULL;
        atomic_store_explicit(&ftt_profiling, here, memory_order_relaxed);
    }
    ftt_session_users += !another;
    ftt_raw_release(&ftt_session_guard);
    bool first = fresh == NULL;
    free(fresh);
    if (another) {
        PyErr_SetString(PyExc_RuntimeError, "another interpreter is being profiled");
        return NULL;
    }
    return PyBool_FromLong(first);
}

/* _profile_stop(): whether it had been started. */
static PyObject *
stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    ftt_session *ended = NULL;
    ftt_raw_acquire(&ftt_session_guard);
    bool started = ftt_session_users > 0 && ftt_profiling == PyInterpreterState_Get();
    if (started && --ftt_session_users == 0) {
        ended = ftt_session_now;
        ftt_session_now = NULL;
        atomic_store_explicit(&ftt_profiling, NULL, memory_order_relaxed);
    }
    ftt_raw_release(&ftt_session_guard);
    if (ended != NULL) {
        ftt_session_let_go(ended);
    }
    return PyBool_FromLong(started);
}

/* ((code, line), ...), innermost first; the same object for the same stack. */
static PyObject *
tuple_of_stack(PyObject *known, const ftt_stack *stack)
{
    PyObject *key = PyLong_FromVoidPtr((void *)stack), *tuple = NULL;
    if (key == NULL || PyDict_GetItemRef(known, key, &tuple) != 0) {
        Py_XDECREF(key);
        return tuple;
    }
    tuple = PyTuple_New(stack->depth);
    for (int i = 0; tuple != NULL && i < stack->depth; i++) {
        const ftt_line *place = &stack->places[i];
        PyObject *pair = Py_BuildValue("(Oi)", place->code,
                                       PyCode_Addr2Line(place->code, place->instruction));
        if (pair == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, pair);
    }
    if (tuple != NULL && PyDict_SetItem(known, key, tuple) < 0) {
        Py_CLEAR(tuple);
    }
    Py_DECREF(key);
    return tuple;
}

static PyObject *
tuple_of_entry(PyObject *known, const ftt_entry *entry, const ftt_sums *sums)
{
    PyObject *where = tuple_of_stack(known, entry->where);
    PyObject *made = entry->made == NULL ? Py_NewRef(Py_None) : tuple_of_stack(known, entry->made);
    PyObject *lock = PyLong_FromVoidPtr((void *)entry->lock);
    PyObject *type = entry->type == NULL ? Py_None : (PyObject *)entry->type;
    PyObject *tuple = NULL;
    if (where != NULL && made != NULL && lock != NULL) {
        tuple = Py_BuildValue("(iOOOOdddLs)", entry->kind, lock, type, made, where, sums->count,
                              sums->total, sums->aside, (long long)sums->longest, entry->name);
    }
    Py_XDECREF(where);
    Py_XDECREF(made);
    Py_XDECREF(lock);
    return tuple;
}

static int
read_entries(ftt_session *session, PyObject *list)
{
    PyObject *known = PyDict_New();
    int failed = known == NULL;
    ftt_raw_acquire(&ftt_session_guard);
    const ftt_entry *each = session->first;
    ftt_raw_release(&ftt_session_guard);
    while (!failed && each != NULL) {
        ftt_raw_acquire(&ftt_session_guard);
        ftt_sums sums = each->sums;
        const ftt_entry *later = each->later;
        ftt_raw_release(&ftt_session_guard);
        PyObject *tuple = tuple_of_entry(known, each, &sums);
        failed = tuple == NULL || PyList_Append(list, tuple) < 0;
        Py_XDECREF(tuple);
        each = later;
    }
    Py_XDECREF(known);
    return failed ? -1 : 0;
}

/* _profile_read(): how many records were lost, and the entries in the order in which they came:
   kind, address of the lock, type or None, where it was made or None, where the wait or release was,
   number, total, aside (ns), longest (ns), name of the thread that was joined.  None if there is
   no session of this interpreter. */
static PyObject *
read_profile(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    uint64_t lost = 0;
    ftt_raw_acquire(&ftt_session_guard);
    ftt_session *session = ftt_profiling == PyInterpreterState_Get() ? ftt_session_now : NULL;
    if (session != NULL) {
        session->references++;
        lost = session->lost;
    }
    ftt_raw_release(&ftt_session_guard);
    if (session == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *list = PyList_New(0);
    if (list != NULL && read_entries(session, list) < 0) {
        Py_CLEAR(list);
    }
    ftt_session_let_go(session);
    return list == NULL ? NULL : Py_BuildValue("(KN)", (unsigned long long)lost, list);
}

/* _threads_time(): for how long all threads have existed together, ns, since some time. */
static PyObject *
threads_time(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLongLong(ftt_threads_time());
}

PyMethodDef ftt_profiling_methods[] = {
    {"_profile_start", start, METH_NOARGS, NULL},
    {"_profile_stop", stop, METH_NOARGS, NULL},
    {"_profile_read", read_profile, METH_NOARGS, NULL},
    {"_threads_time", threads_time, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
