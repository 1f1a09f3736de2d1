/* A signal that wakes a thread which reads from a pipe. */

#ifndef FTT_WAKE_H
#define FTT_WAKE_H

#include <Python.h>

extern PyMethodDef ftt_wake_methods[];

#endif
