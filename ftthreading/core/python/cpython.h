/* The few things that no public C API tells: one place for private names and for what
   differs between versions.  Each has a fallback; tests/core/test_cpython.py says when a
   new version takes one away. */

#ifndef FTT_CPYTHON_H
#define FTT_CPYTHON_H

#include <Python.h>

/* RLock() ignores arguments with a DeprecationWarning before 3.15, and refuses them since. */
#define FTT_RLOCK_REFUSES_ARGUMENTS (PY_VERSION_HEX >= 0x030F0000)

/* A timeout may be any real number since 3.15, such as a Decimal or a Fraction. */
#define FTT_TIMEOUT_IS_ANY_REAL (PY_VERSION_HEX >= 0x030F0000)

/* threading.main_thread().ident, from _thread._get_main_thread_ident(); the caller's own
   ident where that is gone.  0 with an exception set on failure. */
unsigned long ftt_cpython_main_ident(void);

/* Whether the GIL is on now, from sys._is_gil_enabled(); true where that is gone.
   -1 with an exception set on failure. */
int ftt_cpython_gil_enabled(void);

/* The name of a threading.Thread, in UTF-8, cut to fit `room` and ended by a NUL; "" if it has none
   or not where it is expected.  Nothing written in Python runs. */
void ftt_cpython_thread_name(PyObject *thread, char *name, size_t room);

/* A number that the type has as long as neither it nor a base is changed, and no other type of the
   interpreter ever; 0 if it has none at the moment, but perhaps after a look at an attribute. */
uint32_t ftt_cpython_type_version(PyTypeObject *type);

#endif
