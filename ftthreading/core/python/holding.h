/* Calling a function with a lock held, whatever signal handlers raise. */

#ifndef FTT_HOLDING_H
#define FTT_HOLDING_H

#include <Python.h>

extern PyMethodDef ftt_holding_methods[];

#endif
