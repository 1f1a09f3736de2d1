/* Who am I: functions of the module that ask about the calling thread. */

#ifndef FTT_CURRENT_H
#define FTT_CURRENT_H

#include <Python.h>

extern PyMethodDef ftt_current_methods[];

#endif
