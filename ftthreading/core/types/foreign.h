/* The condition of a foreign event or semaphore: one whose inside the program has taken over.

   The interpreter's classes keep a Condition in `_cond`, and programs use it.  Ours have none
   until one asks; then the object gets one, and only then gives up its own way of waiting. */

#ifndef FTT_FOREIGN_H
#define FTT_FOREIGN_H

#include <Python.h>

/* The condition in *slot, made if there is none yet, after give_up(self).  NULL with an exception
   set. */
PyObject *ftt_foreign_condition(PyObject *self, PyObject **slot, void (*give_up)(void *self));

/* The same with a condition of the program's; -1 with an exception set for NULL. */
int ftt_set_foreign_condition(PyObject *self, PyObject **slot, PyObject *cond,
                              void (*give_up)(void *self));

#endif
