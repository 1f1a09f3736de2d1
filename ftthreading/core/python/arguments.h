/* Arguments and timeouts, with the errors that the interpreter's own threading
   gives. */

#ifndef FTT_ARGUMENTS_H
#define FTT_ARGUMENTS_H

#include <Python.h>

/* Which keyword the name is; -1 for none. */
int ftt_index_of(PyObject *name, const char *const *keywords, int size);

/* Seconds, an int or a float, to ns, rounded away from zero so that no timeout becomes a
   poll.  -1 with ValueError (NaN), OverflowError or TypeError set. */
int ftt_seconds_to_ns(PyObject *seconds, int64_t *ns);

/* acquire(blocking=True, timeout=-1): *timeout becomes -1 to wait forever, 0 to try once,
   or ns.  -1 with TypeError, ValueError or OverflowError set. */
int ftt_parse_acquire(PyObject *const *args, Py_ssize_t nargs, PyObject *names, int64_t *timeout);

/* A timeout of Condition, Semaphore, Event or Barrier: NULL or None is -1, for ever; what is not
   more than 0, of whatever type, is 0; else ns.  -1 with TypeError, OverflowError, ValueError
   for a negative one that says it is more, or what the comparison has raised. */
int ftt_parse_wait(PyObject *seconds, int64_t *timeout);

#endif
