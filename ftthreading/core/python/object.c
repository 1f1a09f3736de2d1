/* What the Python types share (see object.h). */

#include "object.h"

#include <stdbool.h>

int
ftt_object_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return PyObject_VisitManagedDict(self, visit, arg);
}

int
ftt_object_clear(PyObject *self)
{
    PyObject_ClearManagedDict(self);
    return 0;
}

void
ftt_object_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    PyObject_ClearManagedDict(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *
ftt_lock_class_name(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    return (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) != 0 ? PyType_GetFullyQualifiedName(type)
                                                            : PyUnicode_FromString(type->tp_name);
}

void
ftt_not_initialised(PyObject *self)
{
    PyErr_Format(PyExc_AttributeError, "%T.__init__() was not called", self);
}

int
ftt_overrides(PyObject *self, PyTypeObject *base, const char *const *names)
{
    bool differs = false;
    for (; *names != NULL && !differs && !Py_IS_TYPE(self, base); names++) {
        PyObject *own = PyObject_GetAttrString((PyObject *)Py_TYPE(self), *names);
        PyObject *inherited = PyObject_GetAttrString((PyObject *)base, *names);
        differs = own != inherited;
        Py_XDECREF(own);
        Py_XDECREF(inherited);
    }
    return PyErr_Occurred() ? -1 : differs;
}

PyObject *
ftt_attribute(PyObject *object, const char *name)
{
    PyObject *interned = PyUnicode_InternFromString(name);
    PyObject *value = interned == NULL ? NULL : PyObject_GetAttr(object, interned);
    Py_XDECREF(interned);
    return value;
}

int
ftt_optional_attribute(PyObject *object, const char *name, PyObject **value)
{
    *value = NULL;
    PyObject *interned = PyUnicode_InternFromString(name);
    int found = interned == NULL ? -1 : PyObject_GetOptionalAttr(object, interned, value);
    Py_XDECREF(interned);
    return found;
}
