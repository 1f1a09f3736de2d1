/* Who am I: functions of the module that ask about the calling thread. */

#ifndef FTT_CURRENT_H
#define FTT_CURRENT_H

#include <Python.h>

extern PyMethodDef ftt_current_methods[];

/* The calling thread is that of this Thread object, which the caller keeps alive until
   ftt_current_leave(). */
void ftt_current_enter(PyObject *thread);
void ftt_current_leave(void);

#endif
