/* The parts of _native.c, each in a file of its own. */

#ifndef PERF_NATIVE_H
#define PERF_NATIVE_H

#include "_shared.h"

extern PyType_Spec floor_spec, section_spec, gate_spec, waits_spec;

void calibrate(void); /* how long busy time takes; before any */
PyObject *native_spin(PyObject *module, PyObject *ns);
PyObject *native_canary(PyObject *module, PyObject *steps);
PyObject *native_ping_pong(PyObject *module, PyObject *args);
PyObject *native_pauses(PyObject *module, PyObject *count);
PyObject *native_yields(PyObject *module, PyObject *count);

#endif
