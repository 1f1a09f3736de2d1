/* Floor: every primitive's methods, doing nothing: what calling a method costs at least. */

#include "_native.h"

/* Also Event.wait(). */
static PyObject *floor_acquire(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    (void)self, (void)args, (void)n, (void)names;
    Py_RETURN_TRUE;
}

/* Also Event.is_set(). */
static PyObject *floor_enter(PyObject *self, PyObject *ignored)
{
    (void)self, (void)ignored;
    Py_RETURN_TRUE;
}

/* Also Event.set() and clear(). */
static PyObject *floor_release(PyObject *self, PyObject *ignored)
{
    (void)self, (void)ignored;
    Py_RETURN_NONE;
}

static PyObject *floor_exit(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self, (void)args, (void)n;
    Py_RETURN_NONE;
}

static PyObject *floor_notify(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    (void)self, (void)args, (void)n, (void)names;
    Py_RETURN_NONE;
}

static PyObject *floor_locked(PyObject *self, PyObject *ignored)
{
    (void)self, (void)ignored;
    Py_RETURN_FALSE;
}

/* Called as the methods of the core are called, so that the interpreter treats both alike. */
static PyMethodDef floor_methods[] = {
    {"acquire", METHOD(floor_acquire), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"release", floor_release, METH_NOARGS, NULL},
    {"locked", floor_locked, METH_NOARGS, NULL},
    {"__enter__", floor_enter, METH_NOARGS, NULL},
    {"__exit__", METHOD(floor_exit), METH_FASTCALL, NULL},
    {"wait", METHOD(floor_acquire), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"is_set", floor_enter, METH_NOARGS, NULL},
    {"set", floor_release, METH_NOARGS, NULL},
    {"clear", floor_release, METH_NOARGS, NULL},
    {"notify", METHOD(floor_notify), METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot floor_slots[] = {
    {Py_tp_doc, "A primitive that never waits: each method returns at once."},
    {Py_tp_methods, floor_methods},
    {Py_tp_traverse, plain_traverse},
    {Py_tp_dealloc, plain_dealloc},
    {0, NULL},
};

PyType_Spec floor_spec = {
    .name = "perf.native._native.Floor",
    .basicsize = sizeof(PyObject),
    .flags = PLAIN_FLAGS,
    .slots = floor_slots,
};
