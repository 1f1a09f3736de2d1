/* Scenarios for fork(): whatever other threads were doing to a lock at that moment, the
   child can use it.  ThreadSanitizer does not follow threads into a child; there this file
   has nothing to say. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "primitives/rlock.h"

#if defined(__SANITIZE_THREAD__)
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif

#ifndef TSAN

static const options *with;
static ftt_lock lock;
static _Atomic bool stop;
static _Atomic int in_child_got;

static void *
in_child(void *ignored)
{
    (void)ignored;
    for (int i = 0; i < 20; i++) {
        if (ftt_lock_acquire(&lock, -1) != FTT_ACQUIRED) {
            _exit(11);
        }
        ftt_lock_release(&lock);
    }
    atomic_fetch_add(&in_child_got, 1);
    return NULL;
}

/* The forking thread holds the lock; new threads wait for it; it is released. */
static void
child(void)
{
    pthread_t threads[4];
    alarm(20); /* a standstill here ends as a death by SIGALRM */
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&threads[i], NULL, in_child, NULL) != 0) {
            _exit(12);
        }
    }
    struct timespec moment = {0, 2000000};
    nanosleep(&moment, NULL);
    if (!ftt_lock_release(&lock)) {
        _exit(13);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    _exit(atomic_load(&in_child_got) == 4 ? 0 : 14);
}

static void
contend_or_fork(int index)
{
    if (index != 0) {
        while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
            if (ftt_lock_acquire(&lock, roll() % 2 == 0 ? -1 : 30000) == FTT_ACQUIRED) {
                ftt_lock_release(&lock);
            }
        }
        return;
    }
    for (int i = 0; i < with->rounds / 400 + 1; i++) {
        check(ftt_lock_acquire(&lock, -1) == FTT_ACQUIRED, "acquire failed");
        struct timespec moment = {0, (long)(roll() % 100000)};
        nanosleep(&moment, NULL); /* lets others spin, park, time out */
        pid_t pid = fork();
        check(pid >= 0, "fork failed");
        if (pid == 0) {
            child();
        }
        ftt_lock_release(&lock);
        int status;
        waitpid(pid, &status, 0);
        check(status == 0, "the child ended with status 0x%x", (unsigned)status);
        progress();
    }
    atomic_store(&stop, true);
}

static void
run_fork(const options *given)
{
    with = given;
    lock = (ftt_lock){0};
    stop = false;
    run_threads(with->threads, contend_or_fork);
}

const scenario fork_scenarios[] = {
    {"fork", "the child can use a contended lock", run_fork},
    {NULL, NULL, NULL},
};

#else

const scenario fork_scenarios[] = {{NULL, NULL, NULL}};

#endif
