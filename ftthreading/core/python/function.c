/* Python functions with a vectorcall of ours (see function.h). */

#include "function.h"

#include "arguments.h"
#include "cpython.h"
#include "os/os.h"

/* Of every function as it is made: the one that runs its code. */
static _Atomic(vectorcallfunc) runs_code;

PyObject *
ftt_call_python(FTT_CALL)
{
    vectorcallfunc run = atomic_load_explicit(&runs_code, memory_order_relaxed);
    return run(function, args, nargsf, names);
}

void
ftt_set_vectorcall(PyObject *object, vectorcallfunc call)
{
    PyFunctionObject *function = (PyFunctionObject *)object;
    /* One that was given to us before has our vectorcall already. */
    if (function->vectorcall != call) {
        atomic_store_explicit(&runs_code, function->vectorcall, memory_order_relaxed);
        PyFunction_SetVectorcall(function, call);
    }
}

static const ftt_function *
row_of(const ftt_function *table, PyObject *name)
{
    while (table->name != NULL && !PyUnicode_EqualToUTF8(name, table->name)) {
        table++;
    }
    return table->name == NULL ? NULL : table;
}

int
ftt_install_method(PyTypeObject *type, const ftt_function *table, PyObject *name,
                   PyObject *function)
{
    const ftt_function *row = row_of(table, name);
    if (row == NULL) {
        return 0;
    }
    if (row->doc != NULL) {
        PyObject *doc = PyUnicode_FromString(row->doc);
        int failed = doc == NULL || PyObject_SetAttrString(function, "__doc__", doc) < 0;
        Py_XDECREF(doc);
        if (failed) {
            return -1;
        }
    }
    ftt_set_vectorcall(function, row->call);
    PyObject *namespace = PyType_GetDict(type);
    int failed = PyDict_SetItem(namespace, name, function);
    Py_DECREF(namespace);
    PyType_Modified(type);
    return failed ? -1 : 1;
}

int
ftt_call_python_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *init = PyObject_GetAttrString(self, "__init__");
    PyObject *result = init == NULL ? NULL : PyObject_Call(init, args, kwargs);
    Py_XDECREF(init);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

PyObject *
ftt_call_python_wait(PyObject *function, PyObject *self, PyObject *before, int64_t deadline)
{
    PyObject *args[3] = {self, before, NULL};
    size_t given = before == NULL ? 1 : 2;
    if (deadline == FTT_FOREVER) {
        return ftt_call_python(function, args, given, NULL);
    }
    PyObject *left = PyFloat_FromDouble((double)(deadline - ftt_now()) * 1e-9);
    if (left == NULL) {
        return NULL;
    }
    args[given] = left;
    PyObject *result = ftt_call_python(function, args, given + 1, NULL);
    Py_DECREF(left);
    return result;
}

bool
ftt_inherits(PyTypeObject *type, destructor dealloc)
{
    while (type != NULL && type->tp_dealloc != dealloc) {
        type = type->tp_base;
    }
    return type != NULL;
}

static int
found_one(PyObject *object, void *argument)
{
    (void)object, (void)argument;
    return 1;
}

/* Types that have been found as made, by interpreter and version. */
static _Atomic uint64_t as_made[8];

static bool
class_is_as_made(PyTypeObject *type, const char *name, vectorcallfunc call)
{
    /* Of before the look: a change in the midst of it gives the type another. */
    uint32_t version = ftt_cpython_type_version(type);
    uint64_t key = (uint64_t)PyInterpreterState_GetID(PyInterpreterState_Get()) << 32 | version;
    _Atomic uint64_t *known = &as_made[version % 8];
    if (version != 0 && atomic_load_explicit(known, memory_order_relaxed) == key) {
        return true;
    }
    PyObject *method = PyObject_GetAttrString((PyObject *)type, name);
    bool so = method != NULL && PyFunction_Check(method) &&
              ((PyFunctionObject *)method)->vectorcall == call;
    Py_XDECREF(method);
    PyErr_Clear();
    if (so && version != 0) {
        atomic_store_explicit(known, key, memory_order_relaxed);
    }
    return so;
}

bool
ftt_is_not_overridden(PyObject *self, destructor dealloc, const char *name, vectorcallfunc call)
{
    return Py_TYPE(self)->tp_dealloc == dealloc &&
           PyObject_VisitManagedDict(self, found_one, NULL) == 0 &&
           class_is_as_made(Py_TYPE(self), name, call);
}

bool
ftt_is_call_with(FTT_CALL, destructor dealloc, const char *const *keywords, int size,
                 PyObject **values)
{
    (void)function;
    Py_ssize_t given = PyVectorcall_NARGS(nargsf);
    if (given < 1 || given > 1 + size || !ftt_is_of(args[0], dealloc)) {
        return false;
    }
    for (int i = 0; i < size; i++) {
        values[i] = 1 + i < given ? args[1 + i] : NULL;
    }
    for (Py_ssize_t k = 0; names != NULL && k < PyTuple_GET_SIZE(names); k++) {
        int i = ftt_index_of(PyTuple_GET_ITEM(names, k), keywords, size);
        if (i < 0 || values[i] != NULL) {
            return false;
        }
        values[i] = args[given + k];
    }
    return true;
}
