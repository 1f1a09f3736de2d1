/* How Lock and RLock pass for the interpreter's while they stand in for them. */

#ifndef FTT_STAND_IN_H
#define FTT_STAND_IN_H

#include <Python.h>

/* The metaclass of Lock and RLock. */
extern PyType_Spec ftt_lock_class_spec;

/* _stand_in(type, original or None). */
extern PyMethodDef ftt_stand_in_methods[];

/* For types of that metaclass: the __class__ of their instances. */
PyObject *ftt_get_class(PyObject *self, void *closure);
int ftt_set_class(PyObject *self, PyObject *value, void *closure);

#define FTT_CLASS_GETSET                                                                          \
    {"__class__", ftt_get_class, ftt_set_class, "The class that the lock shows itself as.", NULL}

#endif
