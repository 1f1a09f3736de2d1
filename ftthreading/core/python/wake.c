/* _write_on_signal(signum, descriptor): a signal writes a byte, from C, whatever Python does.

   A handler of Python's runs in the main thread, when that comes back to the interpreter: never,
   if it hangs in C.  Here the signal itself writes to a pipe, and the thread that reads from it
   does the rest.  A negative descriptor gives the signal its action from before back, unless
   somebody has given it another meanwhile. */

#include "wake.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

static _Atomic int descriptor = -1;
static int taken; /* the signal, 0 for none */
static struct sigaction before;

static void
write_byte(int signum)
{
    int error = errno;
    unsigned char byte = (unsigned char)signum;
    int to = atomic_load_explicit(&descriptor, memory_order_relaxed);
    /* A full pipe has enough in it to wake the reader. */
    while (to >= 0 && write(to, &byte, 1) < 0 && errno == EINTR) {
    }
    errno = error;
}

static PyObject *
write_on_signal(PyObject *Py_UNUSED(module), PyObject *args)
{
    int signum, to;
    if (!PyArg_ParseTuple(args, "ii:_write_on_signal", &signum, &to)) {
        return NULL;
    }
    atomic_store_explicit(&descriptor, to, memory_order_relaxed);
    int result = 0;
    if (to < 0 && taken != 0) {
        struct sigaction now;
        result = sigaction(taken, NULL, &now);
        if (result == 0 && now.sa_handler == write_byte) {
            result = sigaction(taken, &before, NULL);
        }
        taken = 0;
    }
    else if (to >= 0 && taken == 0) {
        struct sigaction action = {.sa_handler = write_byte, .sa_flags = SA_RESTART | SA_ONSTACK};
        sigemptyset(&action.sa_mask);
        result = sigaction(signum, &action, &before);
        taken = result == 0 ? signum : 0;
    }
    return result == 0 ? Py_NewRef(Py_None) : PyErr_SetFromErrno(PyExc_OSError);
}

PyMethodDef ftt_wake_methods[] = {
    {"_write_on_signal", write_on_signal, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
