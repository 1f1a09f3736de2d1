/* How Lock and RLock pass for the interpreter's while they stand in for them.

   Programs look at locks: isinstance() with a class that they got from _thread or by type(),
   before install() or after it; the names in a repr; where pickle finds the class.  So while
   a type stands in for an original it has that one's names, and each passes for the other:

       isinstance(new, original)    new.__class__ is the original
       isinstance(old, stand-in)    the metaclass asks the original, too
       issubclass(original, stand-in)    likewise; functools.singledispatch asks this with
                                    new.__class__, and isinstance() of a proxy with that of
                                    what it stands before

   type(new) stays ours.  A subclass stands in for nothing: what is kept here belongs to one
   type, and a subclass has its own, all zero.

   The other primitives need less: each inherits from the class of threading that it replaces, a
   class in Python without a layout (see module.c), so a new object is an instance of both.  An old object
   is one of the new class by its __class__, for which install() puts a property into the old class.

   The types are immutable, so the names change here.  Other threads may be reading them
   meanwhile: each is one pointer, and no string behind one goes away, for the type keeps its
   own and the original, which is held, has its own. */

#include "stand_in.h"

#include "os/atomics.h"
#include "types.h"

typedef struct {
    PyHeapTypeObject type;
    _Atomic(PyTypeObject *) original; /* what it stands in for, or NULL */
    PyObject *own_name;               /* __name__ and __qualname__; NULL: never stood in */
    const char *own_full_name;
    PyObject *signature; /* __text_signature__, which type finds by the name only */
} lock_class;

static PyTypeObject *
original_of(PyObject *class)
{
    return atomic_load_explicit(&((lock_class *)class)->original, memory_order_acquire);
}

PyObject *
ftt_get_class(PyObject *self, void *Py_UNUSED(closure))
{
    PyTypeObject *original = original_of((PyObject *)Py_TYPE(self));
    return Py_NewRef(original != NULL ? original : Py_TYPE(self));
}

/* The attribute that we hide: a borrowed reference, for built-in types do not lose theirs. */
static PyObject *
inherited(PyTypeObject *type, const char *name)
{
    PyObject *namespace = PyType_GetDict(type);
    PyObject *descriptor = PyDict_GetItemString(namespace, name);
    Py_DECREF(namespace);
    return descriptor;
}

/* As object's own, which refuses it except between subclasses. */
int
ftt_set_class(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    PyObject *descriptor = inherited(&PyBaseObject_Type, "__class__");
    return Py_TYPE(descriptor)->tp_descr_set(descriptor, self, value);
}

static PyObject *
get_signature(PyObject *self, void *Py_UNUSED(closure))
{
    lock_class *class = (lock_class *)self;
    if (original_of(self) != NULL) {
        return Py_NewRef(class->signature);
    }
    PyObject *descriptor = inherited(&PyType_Type, "__text_signature__");
    return Py_TYPE(descriptor)->tp_descr_get(descriptor, self, (PyObject *)Py_TYPE(self));
}

static PyObject *
instance_check(PyObject *class, PyObject *instance)
{
    PyTypeObject *original = original_of(class);
    if (original != NULL) {
        int passes = PyObject_IsInstance(instance, (PyObject *)original);
        if (passes != 0) {
            return passes < 0 ? NULL : Py_NewRef(Py_True);
        }
    }
    return PyObject_CallMethod((PyObject *)&PyType_Type, "__instancecheck__", "OO", class,
                               instance);
}

static PyObject *
subclass_check(PyObject *class, PyObject *subclass)
{
    PyTypeObject *original = original_of(class);
    if (original != NULL) {
        int passes = PyObject_IsSubclass(subclass, (PyObject *)original);
        if (passes != 0) {
            return passes < 0 ? NULL : Py_NewRef(Py_True);
        }
    }
    return PyObject_CallMethod((PyObject *)&PyType_Type, "__subclasscheck__", "OO", class,
                               subclass);
}

static int
class_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(original_of(self));
    return PyType_Type.tp_traverse(self, visit, arg);
}

/* A type is in a cycle with itself, so it is always cleared before it is freed. */
static int
class_clear(PyObject *self)
{
    lock_class *class = (lock_class *)self;
    Py_XDECREF(atomic_exchange_explicit(&class->original, NULL, memory_order_acq_rel));
    Py_CLEAR(class->own_name);
    Py_CLEAR(class->signature);
    return PyType_Type.tp_clear(self);
}

static PyMethodDef class_methods[] = {
    {"__instancecheck__", instance_check, METH_O, NULL},
    {"__subclasscheck__", subclass_check, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef class_getset[] = {
    {"__text_signature__", get_signature, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot class_slots[] = {
    {Py_tp_doc, (void *)"The class of Lock and RLock: they can stand in for others."},
    {Py_tp_traverse, class_traverse},
    {Py_tp_clear, class_clear},
    {Py_tp_methods, class_methods},
    {Py_tp_getset, class_getset},
    {0, NULL},
};

PyType_Spec ftt_lock_class_spec = {
    .name = "ftthreading._LockClass",
    .basicsize = sizeof(lock_class),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = class_slots,
};

static void
set_names(lock_class *class, PyObject *name, const char *full_name)
{
    PyHeapTypeObject *heap = &class->type;
    PyObject *old_name = heap->ht_name, *old_qualname = heap->ht_qualname;
    atomic_store_explicit((_Atomic(PyObject *) *)&heap->ht_name, Py_NewRef(name),
                          memory_order_release);
    atomic_store_explicit((_Atomic(PyObject *) *)&heap->ht_qualname, Py_NewRef(name),
                          memory_order_release);
    atomic_store_explicit((_Atomic(const char *) *)&heap->ht_type.tp_name, full_name,
                          memory_order_release);
    Py_DECREF(old_name);
    Py_DECREF(old_qualname);
}

/* _stand_in(type, original): have our lock type pass for the original, or, for None, be itself
   again.  Not from two threads at once; install() sees to that. */
static PyObject *
stand_in(PyObject *module, PyObject *args)
{
    ftt_module_state *state = PyModule_GetState(module);
    PyObject *type, *original;
    if (!PyArg_ParseTuple(args, "O!O:_stand_in", state->lock_class, &type, &original)) {
        return NULL;
    }
    if (original != Py_None && !PyType_Check(original)) {
        PyErr_Format(PyExc_TypeError, "no type: %R", original);
        return NULL;
    }
    lock_class *class = (lock_class *)type;
    if (class->own_name == NULL) {
        class->signature = get_signature(type, NULL);
        if (class->signature == NULL) {
            return NULL;
        }
        class->own_name = Py_NewRef(class->type.ht_name);
        class->own_full_name = class->type.ht_type.tp_name;
    }
    bool itself = original == Py_None;
    if (original_of(type) == (itself ? NULL : (PyTypeObject *)original)) {
        Py_RETURN_NONE;
    }
    PyObject *name =
        itself ? Py_NewRef(class->own_name) : PyType_GetName((PyTypeObject *)original);
    PyObject *module_name = itself ? PyUnicode_FromString("ftthreading")
                                   : PyType_GetModuleName((PyTypeObject *)original);
    PyObject *namespace = PyType_GetDict((PyTypeObject *)type);
    int failed = name == NULL || module_name == NULL ||
                 PyDict_SetItemString(namespace, "__module__", module_name) < 0;
    if (!failed) {
        set_names(class, name,
                  itself ? class->own_full_name : ((PyTypeObject *)original)->tp_name);
        PyTypeObject *held = itself ? NULL : (PyTypeObject *)Py_NewRef(original);
        Py_XDECREF(atomic_exchange_explicit(&class->original, held, memory_order_acq_rel));
        PyType_Modified((PyTypeObject *)type);
    }
    Py_DECREF(namespace);
    Py_XDECREF(name);
    Py_XDECREF(module_name);
    if (failed) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* _show_class(type, property or None): what instances of a class in Python answer for __class__, or
   no longer.  An assignment in Python would mean the class of the class itself. */
static PyObject *
show_class(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyTypeObject *type;
    PyObject *property;
    if (!PyArg_ParseTuple(args, "O!O:_show_class", &PyType_Type, &type, &property)) {
        return NULL;
    }
    if ((PyType_GetFlags(type) & Py_TPFLAGS_IMMUTABLETYPE) != 0) {
        PyErr_Format(PyExc_TypeError, "%R is immutable", type);
        return NULL;
    }
    PyObject *namespace = PyType_GetDict(type), *old;
    int failed = PyDict_GetItemStringRef(namespace, "__class__", &old) < 0;
    if (!failed) {
        failed = property == Py_None ? PyDict_PopString(namespace, "__class__", NULL) < 0
                                     : PyDict_SetItemString(namespace, "__class__", property) < 0;
        PyType_Modified(type);
        Py_XDECREF(old); /* until here others may have found it in the type's cache */
    }
    Py_DECREF(namespace);
    return failed ? NULL : Py_NewRef(Py_None);
}

PyMethodDef ftt_stand_in_methods[] = {
    {"_show_class", show_class, METH_VARARGS, NULL},
    {"_stand_in", stand_in, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
