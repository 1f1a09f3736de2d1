/* The condition of a foreign event or semaphore (see foreign.h).

   Of several threads that ask at once one puts its condition in; the others take that.  The
   condition is there before give_up(), so whoever finds the object foreign finds it. */

#include "foreign.h"

#include <stdbool.h>

#include "types.h"

static PyObject *
look(PyObject *self, PyObject **slot)
{
    PyObject *cond;
    (void)self; /* without critical sections, on a build with the GIL */
    Py_BEGIN_CRITICAL_SECTION(self);
    cond = Py_XNewRef(*slot);
    Py_END_CRITICAL_SECTION();
    return cond;
}

static void
put(PyObject *self, PyObject **slot, PyObject *cond, bool replace)
{
    PyObject *left = cond;
    (void)self;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (*slot == NULL || replace) {
        left = *slot;
        *slot = cond;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(left);
}

static PyObject *
make(PyObject *self)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &ftt_module);
    ftt_module_state *state = module == NULL ? NULL : PyModule_GetState(module);
    PyObject *lock = state == NULL ? NULL : PyObject_CallNoArgs((PyObject *)state->lock);
    PyObject *cond =
        lock == NULL ? NULL : PyObject_CallOneArg((PyObject *)state->condition, lock);
    Py_XDECREF(lock);
    return cond;
}

PyObject *
ftt_foreign_condition(PyObject *self, PyObject **slot, void (*give_up)(void *self))
{
    PyObject *cond = look(self, slot);
    if (cond == NULL) {
        cond = make(self);
        if (cond == NULL) {
            return NULL;
        }
        put(self, slot, cond, false);
        cond = look(self, slot);
    }
    give_up(self);
    return cond;
}

int
ftt_set_foreign_condition(PyObject *self, PyObject **slot, PyObject *cond,
                          void (*give_up)(void *self))
{
    if (cond == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute '_cond'");
        return -1;
    }
    put(self, slot, Py_NewRef(cond), true);
    give_up(self);
    return 0;
}
