/* What the Python types share. */

#ifndef FTT_OBJECT_H
#define FTT_OBJECT_H

#include <stdbool.h>

#include <Python.h>

/* For types whose instances have a __dict__: traverse, clear and deallocate it with them. */
int ftt_object_traverse(PyObject *self, visitproc visit, void *arg);
int ftt_object_clear(PyObject *self);
void ftt_object_dealloc(PyObject *self);

/* For Lock and RLock: "module.Class" of our own class, with the module that it says it is of;
   the bare name of a subclass, as for threading's. */
PyObject *ftt_lock_class_name(PyObject *self);

/* AttributeError, as from a class in Python whose __init__ a subclass forgot to call. */
void ftt_not_initialised(PyObject *self);

/* Whether self's class has other methods of these names (ended by NULL) than `base`, which it
   inherits from; -1 with an exception set. */
int ftt_overrides(PyObject *self, PyTypeObject *base, const char *const *names);

/* As PyObject_GetAttrString(), but for the name: that makes a new one at each call, and each stays
   in the interpreter's cache of types' attributes, in place of what others look for. */
PyObject *ftt_attribute(PyObject *object, const char *name);
/* The same, if there is one: 1, else 0; -1 with an exception set. */
int ftt_optional_attribute(PyObject *object, const char *name, PyObject **value);

/* A type made in C has no __dict__ attribute of its own accord, so vars() would not work. */
#define FTT_DICT_GETSET {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL}

#define FTT_FASTCALL(function) ((PyCFunction)(void (*)(void))(function))

#endif
