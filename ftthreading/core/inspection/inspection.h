/* What others may see of the primitives while everything runs.

   calls.c     of threads, calls and holders, for ftthreading.diagnostics in the same process
   offsets.c   where another process finds the same by reading this one's memory */

#ifndef FTT_INSPECTION_H
#define FTT_INSPECTION_H

#include <Python.h>

extern PyMethodDef ftt_inspect_methods[];

#endif
