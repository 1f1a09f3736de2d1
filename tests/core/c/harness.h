/* What every scenario of the core's C test program uses: threads behind a start gate, a
   random source for each, and a watchdog that calls a standstill by its name. */

#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_THREADS 64

typedef struct {
    int threads;
    int rounds; /* operations for each thread */
    uint64_t seed;
} options;

typedef struct {
    const char *name;
    const char *claim; /* what must hold */
    void (*run)(const options *);
} scenario;

extern const scenario lock_scenarios[];
extern const scenario park_scenarios[];
extern const scenario call_scenarios[];
extern const scenario policy_scenarios[];
extern const scenario event_scenarios[];
extern const scenario semaphore_scenarios[];
extern const scenario condition_scenarios[];
extern const scenario barrier_scenarios[];
extern const scenario fork_scenarios[];

/* Runs body(index) in `count` threads that start together; returns when all have ended. */
void run_threads(int count, void (*body)(int index));

/* The calling thread's next random number. */
uint32_t roll(void);

/* Tells the watchdog that something happened. */
void progress(void);

/* Ends the program with exit code 1 and the message unless the condition holds. */
void check(bool condition, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Interrupts the calling thread by signals from now on; handler() stands for the Python
   handlers that run then and returns -1 when one "raises", INTERRUPT when that is a
   KeyboardInterrupt.  NULL ends it. */
#define INTERRUPT (-2)
void take_signals(int (*handler)(void));

/* Has the calling thread run a function when its next blocking call begins, where signal
   handlers run. */
void before_next_wait(void (*run)(void));

/* Memory that the calling thread can't use while it is detached: the program dies if it does.
   All zero; one piece at a time. */
void *guarded_memory(size_t size);
void end_guard(void);

/* Keeps a processor busy for some ns. */
void work(int64_t ns);

/* A chance that other threads run here, where that was asked for (planted.py). */
#ifdef WIDEN
void ftt_window(void);
#define WINDOW() ftt_window()
#else
#define WINDOW() ((void)0)
#endif

/* Sends signals to all threads that take them, until stopped. */
void start_signal_storm(void);
void stop_signal_storm(void);

#endif
