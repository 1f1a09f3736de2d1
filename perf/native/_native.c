/* The parts of a measurement that Python cannot do without disturbing it.

   Floor, Section, Gate, Waits, spin, canary, ping_pong, pauses and yields: each is explained where
   it is made, in _native_*.c.  Nothing here is part of the package. */

#include "_native.h"

static PyMethodDef native_functions[] = {
    {"spin", native_spin, METH_O, "spin(ns): stay busy, attached, without the kernel's help."},
    {"canary", native_canary, METH_O, "canary(steps): seconds for so many dependent steps."},
    {"ping_pong", native_ping_pong, METH_VARARGS,
     "ping_pong(rounds, kernel): seconds for 2 * rounds hand-offs between two C threads."},
    {"pauses", native_pauses, METH_O,
     "pauses(count): seconds for so many of the processor's instructions for a spinning thread."},
    {"yields", native_yields, METH_O, "yields(count): seconds for so many yields of the processor."},
    {NULL, NULL, 0, NULL},
};

static int native_exec(PyObject *module)
{
    calibrate();
    return add_plain_types(module, (PyType_Spec *[]){&floor_spec, &section_spec, &gate_spec, &waits_spec, NULL});
}

static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_methods = native_functions,
    .m_slots = native_slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
