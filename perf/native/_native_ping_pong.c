/* ping_pong: the same hand-off between two threads as perf/cases/handoff.py, without Python. */

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "_native.h"

typedef struct {
    uint64_t rounds;
    int kernel; /* sleep in the kernel for each hand-off, or spin */
    char before[LINE];
    _Atomic uint64_t turn;
    char after[LINE];
    sem_t there, back;
} Court;

static void pong_wait(Court *court, uint64_t turn)
{
    for (unsigned spins = 0; atomic_load_explicit(&court->turn, memory_order_acquire) != turn;)
        if (++spins % 4096 == 0) /* the other side may need this CPU */
            sched_yield();
}

static void *pong(void *arg)
{
    Court *court = arg;
    for (uint64_t i = 0; i < court->rounds; i++) {
        if (court->kernel) {
            while (sem_wait(&court->there) < 0) {
            }
            sem_post(&court->back);
        } else {
            pong_wait(court, 2 * i + 1);
            atomic_store_explicit(&court->turn, 2 * i + 2, memory_order_release);
        }
    }
    return NULL;
}

PyObject *native_ping_pong(PyObject *module, PyObject *args)
{
    (void)module;
    Court court = {0};
    unsigned long long rounds;
    if (!PyArg_ParseTuple(args, "Kp", &rounds, &court.kernel))
        return NULL;
    court.rounds = rounds;
    sem_init(&court.there, 0, 0);
    sem_init(&court.back, 0, 0);
    pthread_t other;
    uint64_t took = 0;
    int error;
    Py_BEGIN_ALLOW_THREADS
    error = pthread_create(&other, NULL, pong, &court);
    if (!error) {
        uint64_t begin = now_ns();
        for (uint64_t i = 0; i < rounds; i++) {
            if (court.kernel) {
                sem_post(&court.there);
                while (sem_wait(&court.back) < 0) {
                }
            } else {
                atomic_store_explicit(&court.turn, 2 * i + 1, memory_order_release);
                pong_wait(&court, 2 * i + 2);
            }
        }
        took = now_ns() - begin;
        pthread_join(other, NULL);
    }
    Py_END_ALLOW_THREADS
    sem_destroy(&court.there);
    sem_destroy(&court.back);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyFloat_FromDouble((double)took * 1e-9);
}
