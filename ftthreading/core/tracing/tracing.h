/* Telling a recorder which locks are taken and released.

   tracing.c   what is told, by functions that stand in the place of the plain ones
   switch.c    how they are put there */

#ifndef FTT_TRACING_H
#define FTT_TRACING_H

#include <Python.h>

#include "python/function.h"

/* _trace(made, wanted, taken, waits, released) and _trace(None). */
extern PyMethodDef ftt_tracing_methods[];

/* What tracing.c has for switch.c. */

typedef struct {
    PyMethodDef *table;
    const char *name;
    PyCFunction other; /* what is not in the table at the moment */
} ftt_traced_method;

extern ftt_traced_method ftt_traced_methods[];
extern const ftt_function ftt_traced_functions[]; /* of Condition */

/* The plain one of those. */
vectorcallfunc ftt_plain_call(const char *name);

PyObject *ftt_traced_alloc(PyTypeObject *type, Py_ssize_t items);

#endif
