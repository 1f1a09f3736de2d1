/* What a recorder, written in Python, is told of locks (diagnostics/_lock_order_recorder.py):

     made(lock)            by Lock(), RLock() or Condition(), before the caller has it
     wanted(lock, with)    the lock is about to be waited for without limit, not held by the caller if
                           it is an RLock; `with`: by __enter__.  If the answer is true, the
                           caller will wait for a second at first, and ask again with stuck=True.
     taken(lock, with)     it was taken, by whatever kind of call; of an RLock only the outermost
     waits(lock)           Condition.wait() is about to release it, and will take it back.  If
                           the answer is true, taken() follows once that has been done.
     released(lock)        it is about to be released, by whoever; of an RLock only the outermost

   What the recorder does itself with locks is not told, nor what signal handlers and finalizers do
   that run in it. */

#ifndef FTT_RECORDER_H
#define FTT_RECORDER_H

#include "types.h"

/* The truth of the answer; -1 with an exception set; 0 if there is nobody to tell.  `lock` is of
   ours, which tells the interpreter whose recorder it is. */
int ftt_tell(PyObject *lock, int event, bool with, bool stuck);

/* For an RLock of a subclass that has just been made: tells of it while tracing is on, and returns
   it; NULL, and the reference dropped, with what a signal handler raised meanwhile. */
PyObject *ftt_trace_made(PyObject *lock);

#endif
