/* The C test program's threads, random numbers, signals and watchdog (see harness.h), and
   its implementation of blocking.h, without an interpreter. */

#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "parking/park.h"
#include "parking/policy.h"
#include "parking/profiling.h"

#define STANDSTILL 6 /* seconds without progress */

static _Atomic uint64_t steps;
static _Thread_local uint64_t random_state;
static uint64_t program_seed;
static const char *_Atomic running = "none";

void
progress(void)
{
    atomic_fetch_add_explicit(&steps, 1, memory_order_relaxed);
}

void
check(bool condition, const char *format, ...)
{
    if (condition) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    printf("FAILED %s: ", atomic_load(&running));
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    _exit(1);
}

static void *
watch(void *ignored)
{
    (void)ignored;
    uint64_t before = 0;
    int still = 0;
    for (;;) {
        struct timespec second = {1, 0};
        nanosleep(&second, NULL);
        uint64_t now = atomic_load_explicit(&steps, memory_order_relaxed);
        still = now == before ? still + 1 : 0;
        before = now;
        if (still >= STANDSTILL) {
            printf("STANDSTILL %s: no thread got on for %d s\n", atomic_load(&running),
                   STANDSTILL);
            fflush(stdout);
            _exit(3);
        }
    }
    return NULL;
}

uint32_t
roll(void)
{
    uint64_t x = random_state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    random_state = x;
    return (uint32_t)(x >> 32);
}

void
work(int64_t ns)
{
    ftt_time until = ftt_now() + ns;
    while (ftt_now() < until) {
    }
}

typedef struct {
    pthread_t thread;
    int index;
    void (*body)(int);
    pthread_barrier_t *gate;
} job;

static void *
run_job(void *argument)
{
    job *me = argument;
    random_state = program_seed * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)me->index * 7919 + 1;
    pthread_barrier_wait(me->gate);
    me->body(me->index);
    return NULL;
}

void
run_threads(int count, void (*body)(int))
{
    job jobs[MAX_THREADS];
    pthread_barrier_t gate;
    pthread_barrier_init(&gate, NULL, (unsigned)count);
    for (int i = 0; i < count; i++) {
        jobs[i] = (job){.index = i, .body = body, .gate = &gate};
        int error = pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]);
        check(error == 0, "pthread_create: %s", strerror(error));
    }
    for (int i = 0; i < count; i++) {
        pthread_join(jobs[i].thread, NULL);
    }
    pthread_barrier_destroy(&gate);
}

/* Signals. */

static pthread_mutex_t takers_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t takers[MAX_THREADS];
static int taker_count;
static _Thread_local int (*handler_of_thread)(void);
static _Thread_local bool in_handler;
static _Atomic bool storming;
static pthread_t storm;

void
take_signals(int (*handler)(void))
{
    pthread_mutex_lock(&takers_lock);
    if (handler != NULL && handler_of_thread == NULL) {
        takers[taker_count++] = pthread_self();
    }
    else if (handler == NULL && handler_of_thread != NULL) {
        int i = 0;
        while (!pthread_equal(takers[i], pthread_self())) {
            i++;
        }
        takers[i] = takers[--taker_count];
    }
    handler_of_thread = handler;
    pthread_mutex_unlock(&takers_lock);
}

static void
on_signal(int number)
{
    (void)number;
}

static void *
storm_on(void *ignored)
{
    (void)ignored;
    while (atomic_load_explicit(&storming, memory_order_relaxed)) {
        pthread_mutex_lock(&takers_lock);
        for (int i = 0; i < taker_count; i++) {
            pthread_kill(takers[i], SIGUSR1);
        }
        pthread_mutex_unlock(&takers_lock);
        struct timespec pause = {0, 50 * 1000};
        nanosleep(&pause, NULL);
    }
    return NULL;
}

void
start_signal_storm(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    atomic_store(&storming, true);
    pthread_create(&storm, NULL, storm_on, NULL);
}

void
stop_signal_storm(void)
{
    atomic_store(&storming, false);
    pthread_join(storm, NULL);
}

/* The interface to an interpreter (parking/blocking.h). */

static _Thread_local void (*before_wait)(void);
static _Thread_local void *guarded_piece;
static _Thread_local size_t guarded_size;

void
before_next_wait(void (*run)(void))
{
    before_wait = run;
}

void *
guarded_memory(size_t size)
{
    guarded_piece = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(guarded_piece != MAP_FAILED, "mmap: %s", strerror(errno));
    guarded_size = size;
    return guarded_piece;
}

void
end_guard(void)
{
    munmap(guarded_piece, guarded_size);
    guarded_piece = NULL;
}

static void
guard(int access)
{
    if (guarded_piece != NULL) {
        int error = mprotect(guarded_piece, guarded_size, access);
        check(error == 0, "mprotect: %s", strerror(errno));
    }
}

int
ftt_before_blocking(void)
{
    void (*run)(void) = before_wait;
    before_wait = NULL;
    if (run != NULL) {
        run();
    }
    return 0;
}

void *
ftt_detach(void)
{
    guard(PROT_NONE);
    return NULL;
}

void
ftt_attach(void *detached)
{
    (void)detached;
    guard(PROT_READ | PROT_WRITE);
#ifdef WIDEN
    /* Coming back may take long: a woken thread is not yet a running one. */
    if (roll() % 64 == 0) {
        struct timespec pause = {0, 200 * 1000};
        nanosleep(&pause, NULL);
    }
#endif
}

bool
ftt_interruptible(void)
{
    return handler_of_thread != NULL && !in_handler;
}

static _Thread_local bool interrupt; /* what the handler raised that raised last */

int
ftt_run_handlers(void)
{
    if (handler_of_thread == NULL) {
        return 0; /* interrupted (parking/call.h), and nothing is left to be raised */
    }
    in_handler = true;
    int result = handler_of_thread();
    in_handler = false;
    if (result < 0) {
        interrupt = result == INTERRUPT;
    }
    return result;
}

void
ftt_set_aside(ftt_aside *aside)
{
    aside->exception = &in_handler;
}

bool
ftt_set_aside_or_give_up(ftt_aside *aside)
{
    bool second = interrupt && aside->interrupted;
    aside->interrupted = aside->interrupted || interrupt;
    ftt_set_aside(aside);
    return second;
}

int
ftt_raise_again(ftt_aside *aside)
{
    return aside->exception == NULL ? 0 : -1;
}

bool
ftt_finalizing(void)
{
    return false;
}

void
ftt_out_of_memory(void)
{
    check(false, "out of memory");
}

void
ftt_blocking_after_fork(void)
{
}

void
ftt_blame_me(const void *key, ftt_blame blame)
{
    (void)key, (void)blame;
}

#ifdef WIDEN
void
ftt_window(void)
{
    uint32_t dice = roll() % 256;
    if (dice < 24) {
        sched_yield();
    }
    else if (dice == 24) {
        struct timespec pause = {0, 20 * 1000};
        nanosleep(&pause, NULL);
    }
}
#endif

/* The program. */

static void
run_all(const scenario *list, const options *with, int count, char **names)
{
    for (const scenario *s = list; s->name != NULL; s++) {
        bool wanted = count == 0;
        for (int i = 0; i < count; i++) {
            wanted = wanted || strcmp(names[i], s->name) == 0;
        }
        if (!wanted) {
            continue;
        }
        atomic_store(&running, s->name);
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        s->run(with);
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("held   %-16s %s (%.1f s)\n", s->name, s->claim,
               (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
        fflush(stdout);
    }
}

int
main(int argc, char **argv)
{
    options with = {.threads = 4, .rounds = 2000, .seed = 1};
    int first = 1;
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
        int value = atoi(argv[first + 1]);
        switch (argv[first][1]) {
        case 't':
            with.threads = value;
            break;
        case 'n':
            with.rounds = value;
            break;
        case 's':
            with.seed = (uint64_t)value;
            break;
        default:
            fprintf(stderr, "usage: %s [-t threads] [-n rounds] [-s seed] [scenario...]\n",
                    argv[0]);
            return 2;
        }
    }
    check(with.threads >= 2 && with.threads < MAX_THREADS, "-t wants 2 to %d", MAX_THREADS - 1);
    program_seed = random_state = with.seed * 2 + 1;
    check(ftt_park_init() == 0, "no fork handler");
    ftt_policy_init(false);
    ftt_policy_follow(true);
    pthread_t watchdog;
    pthread_create(&watchdog, NULL, watch, NULL);
    pthread_detach(watchdog);
    run_all(policy_scenarios, &with, argc - first, argv + first);
    run_all(lock_scenarios, &with, argc - first, argv + first);
    run_all(park_scenarios, &with, argc - first, argv + first);
    run_all(call_scenarios, &with, argc - first, argv + first);
    run_all(event_scenarios, &with, argc - first, argv + first);
    run_all(semaphore_scenarios, &with, argc - first, argv + first);
    run_all(condition_scenarios, &with, argc - first, argv + first);
    run_all(barrier_scenarios, &with, argc - first, argv + first);
    run_all(fork_scenarios, &with, argc - first, argv + first);
    return 0;
}
