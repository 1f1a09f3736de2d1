/* The interface to CPython: detaching, signals, finalization (rules in parking/blocking.h).

   Every sleep of the core happens between ftt_detach() and ftt_attach(), so that a
   stop-the-world pause never waits for a sleeper.

   Signals.  CPython's C handler only sets a flag; Python handlers run in the main thread,
   when it asks.  A sleeping main thread is thrown out of its sleep by the signal itself,
   attaches and asks.  A signal that comes between the last question and the sleep throws
   nobody out; so the question is put as a blocking call begins, and again in the main
   thread's sleep: after a millisecond, and then whenever that sleep has become twice as long, but
   once a minute (park.c; where no signal ends a sleep, 50 times a second).  After anything else
   that ends a sleep it begins anew.  What comes just before one of the later sleeps, in the
   microseconds between question and sleep, waits for as long as the main thread has waited
   already.

   The GIL.  On a free-threaded build it may come back, when a module is imported that does not
   do without it, and goes for a moment with the import of any extension.  Spinning is useless
   then.  Nobody tells us, so each thread asks at its first blocking call and at each
   64th from there on: often enough that a spin in vain is rare, and too seldom to be felt.

   Finalization.  The finalizing thread is the last that can run Python; nobody could end
   its wait, so it gets PythonFinalizationError instead (CPython does so from 3.15).  Other
   threads that try to attach then do not come back from it. */

#include <Python.h>
#include <stdatomic.h>

#include "parking/blocking.h"
#include "parking/policy.h"
#include "parking/profiling.h"
#include "parking/thread.h"
#include "cpython.h"

#define SELDOM 64

static _Atomic unsigned long main_ident;

static int
follow_gil(void)
{
    int enabled = ftt_cpython_gil_enabled();
    if (enabled >= 0) {
        ftt_policy_follow(!enabled);
    }
    return enabled < 0 ? -1 : 0;
}

/* Each interpreter that imports the core comes here, and each time that it is loaded again. */
int
ftt_blocking_init(void)
{
    unsigned long ident = ftt_cpython_main_ident();
    if (ident == 0) {
        return -1;
    }
    unsigned long none = 0;
    atomic_compare_exchange_strong_explicit(&main_ident, &none, ident, memory_order_relaxed,
                                            memory_order_relaxed);
    return follow_gil();
}

void
ftt_blocking_after_fork(void)
{
    /* The thread that called fork() is the child's main thread. */
    atomic_store_explicit(&main_ident, PyThread_get_thread_ident(), memory_order_relaxed);
    ftt_profiling_after_fork();
}

bool
ftt_interruptible(void)
{
    return PyThread_get_thread_ident() ==
           atomic_load_explicit(&main_ident, memory_order_relaxed);
}

int
ftt_run_handlers(void)
{
    return Py_MakePendingCalls();
}

static void
keep_first(ftt_aside *aside, PyObject *raised)
{
    if (aside->exception == NULL) {
        aside->exception = raised;
    }
    else {
        Py_XDECREF(raised);
    }
}

void
ftt_set_aside(ftt_aside *aside)
{
    keep_first(aside, PyErr_GetRaisedException());
}

bool
ftt_set_aside_or_give_up(ftt_aside *aside)
{
    PyObject *raised = PyErr_GetRaisedException();
    bool interrupt = PyErr_GivenExceptionMatches(raised, PyExc_KeyboardInterrupt);
    bool second = interrupt && aside->interrupted;
    aside->interrupted = aside->interrupted || interrupt;
    if (second) {
        PyObject *before = aside->exception;
        aside->exception = NULL;
        Py_XDECREF(before);
    }
    keep_first(aside, raised);
    return second;
}

int
ftt_raise_again(ftt_aside *aside)
{
    if (aside->exception == NULL) {
        return 0;
    }
    PyErr_SetRaisedException(aside->exception);
    aside->exception = NULL;
    return -1;
}

void
ftt_raise(void *exception)
{
    PyErr_SetRaisedException(exception);
}

void
ftt_drop(void *exception)
{
    Py_DECREF((PyObject *)exception);
}

bool
ftt_finalizing(void)
{
    return Py_IsFinalizing();
}

int
ftt_before_blocking(void)
{
    if (Py_IsFinalizing()) {
        PyErr_SetString(PyExc_PythonFinalizationError,
                        "cannot wait for another thread at interpreter finalization");
        return -1;
    }
#ifdef Py_GIL_DISABLED
    if (ftt_this_thread.blockings++ % SELDOM == 0 && follow_gil() < 0) {
        PyErr_Clear();
    }
#endif
    return ftt_interruptible() ? PyErr_CheckSignals() : 0;
}

void *
ftt_detach(void)
{
    return PyEval_SaveThread();
}

void
ftt_attach(void *detached)
{
    PyEval_RestoreThread(detached);
}

void
ftt_out_of_memory(void)
{
    PyErr_NoMemory();
}
