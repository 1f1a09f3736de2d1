/* How many references a call takes on the object it is called on, as the call itself sees it.

   Probe  an object with a lock's methods, of which acquire and __enter__ write down their own
          object's reference count
   Watch  reads the count of any object without taking a reference

   A free-threaded build counts in two places: the owning thread in ob_ref_local, all others in
   ob_ref_shared, and only the latter is what threads fight over. Both fields are the
   interpreter's own business: nothing but this file looks at them, and on a GIL build, which
   lacks them, it does not either. */

#include "_shared.h"

#ifdef Py_GIL_DISABLED
#define COUNTS 1
#else
#define COUNTS 0
#endif

#if COUNTS && PY_VERSION_HEX >= 0x030E0000
#define DEFERS 1
#else
#define DEFERS 0
#endif

/* The fields as they are now, as (local, shared); the flags in the lowest bits left out. */
static void look(PyObject *object, Py_ssize_t *local, Py_ssize_t *shared)
{
#if COUNTS
    *local = (Py_ssize_t)_Py_atomic_load_uint32_relaxed(&object->ob_ref_local);
    *shared = _Py_atomic_load_ssize_relaxed(&object->ob_ref_shared) >> _Py_REF_SHARED_SHIFT;
#else
    (void)object;
    *local = *shared = 0;
#endif
}

static int refuse(void)
{
    if (COUNTS)
        return 0;
    PyErr_SetString(PyExc_NotImplementedError, "this build has one plain reference count");
    return -1;
}

/* ---- Probe ---- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t local, shared;
} Probe;

static PyObject *probe_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"kind", NULL};
    const char *kind = "plain";
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|s", names, &kind) || refuse() < 0)
        return NULL;
    PyObject *self = type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    if (strcmp(kind, "immortal") == 0) {
        /* Nobody else knows it yet. It is never freed. */
        PyObject_GC_UnTrack(self);
        Py_SET_REFCNT(self, (Py_ssize_t)1 << 40);
#if DEFERS
    } else if (strcmp(kind, "deferred") == 0) {
        PyUnstable_Object_EnableDeferredRefcount(self);
#endif
    } else if (strcmp(kind, "plain") != 0) {
        PyErr_Format(PyExc_ValueError, "no such kind here: %s", kind);
        Py_CLEAR(self);
    }
    return self;
}

static PyObject *probe_note(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    Probe *self = (Probe *)op;
    look(op, &self->local, &self->shared);
    Py_RETURN_TRUE;
}

static PyObject *probe_release(PyObject *self, PyObject *ignored)
{
    (void)self, (void)ignored;
    Py_RETURN_NONE;
}

static PyObject *probe_exit(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self, (void)args, (void)n;
    Py_RETURN_NONE;
}

static void probe_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef probe_methods[] = {
    {"acquire", probe_note, METH_NOARGS, "Write down the references to this object."},
    {"release", probe_release, METH_NOARGS, NULL},
    {"__enter__", probe_note, METH_NOARGS, NULL},
    {"__exit__", METHOD(probe_exit), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef probe_members[] = {
    {"local", T_PYSSIZET, offsetof(Probe, local), READONLY, "The owner's count, as last seen."},
    {"shared", T_PYSSIZET, offsetof(Probe, shared), READONLY, "All others', as last seen."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot probe_slots[] = {
    {Py_tp_doc, "Probe(kind='plain'): also 'immortal', and where there is such a thing 'deferred'."},
    {Py_tp_new, probe_new},
    {Py_tp_methods, probe_methods},
    {Py_tp_members, probe_members},
    {Py_tp_traverse, plain_traverse},
    {Py_tp_dealloc, probe_dealloc},
    {0, NULL},
};

static PyType_Spec probe_spec = {
    .name = "perf.native._probe.Probe",
    .basicsize = sizeof(Probe),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = probe_slots,
};

/* ---- Watch ---- */

typedef struct {
    PyObject_HEAD
    PyObject *object;
} Watch;

static PyObject *watch_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"object", NULL};
    PyObject *object;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O", names, &object) || refuse() < 0)
        return NULL;
    Watch *self = (Watch *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->object = Py_NewRef(object);
    return (PyObject *)self;
}

static PyObject *watch_counts(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    Py_ssize_t local, shared;
    look(((Watch *)self)->object, &local, &shared);
    return Py_BuildValue("nn", local, shared);
}

static int watch_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Watch *)self)->object);
    return 0;
}

static int watch_clear(PyObject *self)
{
    Py_CLEAR(((Watch *)self)->object);
    return 0;
}

static void watch_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    watch_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef watch_methods[] = {
    {"counts", watch_counts, METH_NOARGS, "The references counted (by the owner, by others)."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot watch_slots[] = {
    {Py_tp_doc, "Watch(object): reads the reference count of the object, and holds one reference."},
    {Py_tp_new, watch_new},
    {Py_tp_methods, watch_methods},
    {Py_tp_traverse, watch_traverse},
    {Py_tp_clear, watch_clear},
    {Py_tp_dealloc, watch_dealloc},
    {0, NULL},
};

static PyType_Spec watch_spec = {
    .name = "perf.native._probe.Watch",
    .basicsize = sizeof(Watch),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = watch_slots,
};

/* ---- the module ---- */

static int probe_exec(PyObject *module)
{
    if (add_plain_types(module, (PyType_Spec *[]){&probe_spec, &watch_spec, NULL}) < 0)
        return -1;
    return PyModule_AddIntConstant(module, "DEFERS", DEFERS);
}

static PyModuleDef_Slot probe_module_slots[] = {
    {Py_mod_exec, probe_exec},
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef probe_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_probe",
    .m_slots = probe_module_slots,
};

PyMODINIT_FUNC PyInit__probe(void)
{
    return PyModuleDef_Init(&probe_module);
}
