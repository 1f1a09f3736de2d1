/* Private names of CPython, each behind a function with a fallback (see cpython.h). */

#include "cpython.h"
#include "object.h"

/* Calls module.name(); a new reference, or NULL, with no exception set if there is no such
   function. */
static PyObject *
call_if_there(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    if (module == NULL) {
        return NULL;
    }
    PyObject *function = NULL;
    PyObject *result = NULL;
    if (PyObject_GetOptionalAttrString(module, name, &function) > 0) {
        result = PyObject_CallNoArgs(function);
        Py_DECREF(function);
    }
    Py_DECREF(module);
    return result;
}

unsigned long
ftt_cpython_main_ident(void)
{
    PyObject *ident = call_if_there("_thread", "_get_main_thread_ident");
    if (ident == NULL) {
        return PyErr_Occurred() ? 0 : PyThread_get_thread_ident();
    }
    unsigned long value = PyLong_AsUnsignedLong(ident);
    Py_DECREF(ident);
    return PyErr_Occurred() ? 0 : value;
}

void
ftt_cpython_thread_name(PyObject *thread, char *name, size_t room)
{
    name[0] = '\0';
    PyObject *attribute = PyUnicode_InternFromString("_name");
    /* Not through what a subclass overrides. */
    PyObject *value = attribute == NULL ? NULL : PyObject_GenericGetAttr(thread, attribute);
    Py_ssize_t size = 0;
    const char *text = value != NULL && PyUnicode_Check(value)
                           ? PyUnicode_AsUTF8AndSize(value, &size)
                           : NULL;
    if (text != NULL) {
        size_t length = (size_t)size < room ? (size_t)size : room - 1;
        while (length < (size_t)size && length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) {
            length--; /* not in the middle of a character */
        }
        memcpy(name, text, length);
        name[length] = '\0';
    }
    PyErr_Clear();
    Py_XDECREF(value);
    Py_XDECREF(attribute);
}

/* Not by an import, as this is asked in the middle of an acquire: nothing written in Python
   runs here. */
int
ftt_cpython_gil_enabled(void)
{
    PyObject *sys = PyImport_AddModuleRef("sys");
    if (sys == NULL) {
        return -1;
    }
    PyObject *function;
    int enabled = ftt_optional_attribute(sys, "_is_gil_enabled", &function);
    Py_DECREF(sys);
    if (enabled <= 0) {
        return enabled < 0 ? -1 : 1;
    }
    PyObject *answer = PyObject_CallNoArgs(function);
    Py_DECREF(function);
    if (answer == NULL) {
        return -1;
    }
    enabled = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return enabled;
}

/* Without order: who changes a class while another thread uses it has to see to that himself. */
uint32_t
ftt_cpython_type_version(PyTypeObject *type)
{
    return *(volatile unsigned int *)&type->tp_version_tag;
}
