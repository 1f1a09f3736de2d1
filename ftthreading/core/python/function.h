/* The interpreter's own functions as methods, with C as their fast path.

   The methods of threading's classes are Python functions, and programs notice: they bind to
   real bound methods, which weakref.WeakMethod, inspect.ismethod and mock.create_autospec know,
   have a __code__ and a signature, and complain of bad arguments in words of their own.  So
   ours are such functions: copies of the running interpreter's (_methods.py makes them), each
   with a vectorcall of ours (PyFunction_SetVectorcall, public).

   The vectorcall answers what it knows: an object of ours in its normal state, arguments in a
   plain shape.  Everything else it hands to the function itself, and there the interpreter's
   own code runs, on attributes of the object: it refuses bad arguments, and it runs the
   interpreter's algorithm for an object whose inside the program has taken over ("foreign"; each
   type says when).  So each version's behaviour comes from that version. */

#ifndef FTT_FUNCTION_H
#define FTT_FUNCTION_H

#include <stdbool.h>

#include <Python.h>

/* A row of a type's table. */
typedef struct {
    const char *name;
    vectorcallfunc call;
    const char *doc;
} ftt_function;

/* Gives a Python function the call and doc (if it is not NULL) of its row, and puts it into the
   type's namespace; 1, or 0 and nothing done if there is no row.  The type's slots stay as they
   are: tp_init in C is faster than a function called __init__, and does the same.  -1 with an
   exception set. */
int ftt_install_method(PyTypeObject *type, const ftt_function *table, PyObject *name,
                       PyObject *function);

/* The parameters of every vectorcall. */
#define FTT_CALL                                                                                  \
    PyObject *function, PyObject *const *args, size_t nargsf, PyObject *names

/* Gives a Python function a vectorcall of ours. */
void ftt_set_vectorcall(PyObject *function, vectorcallfunc call);

/* The call as if the function had no vectorcall of ours. */
PyObject *ftt_call_python(FTT_CALL);

/* The __init__ of self's type, for a tp_init that was given arguments it does not know. */
int ftt_call_python_init(PyObject *self, PyObject *args, PyObject *kwargs);

/* The rest of a call that began in C and met a foreign object: the function itself, with as
   much of the timeout as `deadline` (FTT_FOREVER for none) leaves, after `before`, if given. */
PyObject *ftt_call_python_wait(PyObject *function, PyObject *self, PyObject *before,
                               int64_t deadline);

/* Whether self's class is one, or inherits from one, whose tp_dealloc is this; our types that
   Python classes may inherit from each have their own.  (No look at the type itself, of which
   each interpreter has another.) */
bool ftt_inherits(PyTypeObject *type, destructor dealloc);

static inline bool
ftt_is_of(PyObject *self, destructor dealloc)
{
    return Py_TYPE(self)->tp_dealloc == dealloc || ftt_inherits(Py_TYPE(self), dealloc);
}

/* For a method in C that stands for a call of another method of self: whether that is still `call`,
   the one of the name in our type, as neither the instance nor the class has got another.  False,
   too, where it is not known at a glance. */
bool ftt_is_not_overridden(PyObject *self, destructor dealloc, const char *name,
                           vectorcallfunc call);

/* Whether it is a call with positional arguments only, `least` to `most` of them, self
   included, and self is of ours. */
static inline bool
ftt_is_call(PyObject *const *args, size_t nargsf, PyObject *names, Py_ssize_t least,
            Py_ssize_t most, destructor dealloc)
{
    Py_ssize_t given = PyVectorcall_NARGS(nargsf);
    return names == NULL && given >= least && given <= most && ftt_is_of(args[0], dealloc);
}

/* The same with keywords: sorts the arguments after self into values[], NULL where none is
   given. */
bool ftt_is_call_with(FTT_CALL, destructor dealloc, const char *const *keywords, int size,
                      PyObject **values);

#endif
