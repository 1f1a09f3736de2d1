/* The contention profile: what is recorded.

   Which waits are recorded.  All are timed, by two looks at the clock, but only of some the stack is
   taken: of one that has lasted d, with a probability of d / rate if that is less than 1.  It then
   stands for rate / d waits that lasted `rate` together, so sums are right on average, and what
   lasted longer than `rate` is recorded for certain, as it was.  (Go samples blocking events so.)
   The rate is not set by anybody: it begins at 1 ns, at which everything is recorded, and is doubled
   whenever there were more than BUDGET records in WINDOW, halved when there were few.  So a program
   with few waits has an exact profile, and one with many pays for some thousand stacks a second and
   no more, however many threads it has.  Each kind has its own rate.

   When it is recorded: at the end of the wait.  The thread has the lock then, and keeps it for the
   microseconds that this takes; but no earlier is it known how long the wait lasts.

   Who is to blame is sampled in the same way: see parking/profiling.h.  The releasing thread takes
   its own stack, after the release.  Another thread's stack, at the moment in which a wait begins
   say, would show what the holder is doing just then; but on a free-threaded build nobody may look
   at a running thread's frames without stopping all threads, which costs more than what is looked
   for, and shows one moment of the hold instead of what ended it.  A `with` statement's release has
   the line of the statement.

   Exceptions.  Recording changes nothing of what the caller does: what is set stays set, and what
   fails here, which can only be memory, loses a record. */

#include "profiling.h"
#include "python/cpython.h"
#include "session.h"

#define MOST_FRAMES 100
#define FRAMES_OF_MAKER 10
#define ROOM_OF_NAME 100 /* bytes; a longer one is cut */
#define BUDGET 100
#define WINDOW ((ftt_time)100 * 1000 * 1000) /* ns */
#define LONGEST_RATE ((ftt_time)1 << 30)    /* ns */

static _Thread_local ftt_time spent FTT_TLS_MODEL; /* in waits that were timed */
static _Thread_local uint64_t dice FTT_TLS_MODEL;

static uint64_t
roll(void)
{
    if (dice == 0) {
        dice = (ftt_thread_id() + 1) * UINT64_C(0x9E3779B97F4A7C15);
    }
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice >> 1;
}

/* Outermost last; new references to the code. */
static int
take_stack(ftt_line *places, int room)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    int depth = 0;
    while (frame != NULL && depth < room) {
        places[depth++] = (ftt_line){PyFrame_GetCode(frame), PyFrame_GetLasti(frame)};
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    PyErr_SetRaisedException(raised); /* in the place of a MemoryError */
    return depth;
}

void
ftt_note_made_slow(const void *key)
{
    ftt_line places[FRAMES_OF_MAKER];
    int depth = take_stack(places, FRAMES_OF_MAKER);
    bool kept = false;
    ftt_raw_acquire(&ftt_session_guard);
    if (ftt_session_now != NULL && ftt_profiling == PyInterpreterState_Get()) {
        ftt_set_maker(ftt_session_now, key, ftt_keep_stack(ftt_session_now, places, depth, &kept),
                      (uint32_t)roll());
    }
    ftt_raw_release(&ftt_session_guard);
    if (!kept) {
        ftt_drop_stack(places, depth);
    }
}

/* Guarded. */
static void
adapt_rate(ftt_session *session, int kind, ftt_time now)
{
    ftt_time rate = atomic_load_explicit(&ftt_rates[kind], memory_order_relaxed);
    session->hits[kind]++;
    bool over = now - session->window[kind] >= WINDOW;
    if (!over && session->hits[kind] <= BUDGET) {
        return;
    }
    if (!over && rate < LONGEST_RATE) {
        rate *= 2;
    }
    else if (over && session->hits[kind] < BUDGET / 4 && rate > 1) {
        rate /= 2;
    }
    atomic_store_explicit(&ftt_rates[kind], rate, memory_order_relaxed);
    session->hits[kind] = 0;
    session->window[kind] = now;
}

typedef struct {
    int kind;
    const void *lock;
    PyTypeObject *type;
    PyObject *joined; /* the thread, if it is a join */
    ftt_time began, now;
    ftt_time lasted, aside, longest; /* as the sums that they go into */
} event;

/* Guarded. */
static void
add(ftt_session *session, const event *event, const ftt_stack *where, const char *name,
    double weight)
{
    ftt_entry *entry = where == NULL ? NULL
                                     : ftt_entry_for(session, event->kind, event->lock, where,
                                                     event->type, name);
    if (entry == NULL) {
        session->lost++;
        return;
    }
    entry->sums.count += weight;
    entry->sums.total += weight * (double)event->lasted;
    entry->sums.aside += weight * (double)event->aside;
    if (event->longest > entry->sums.longest) {
        entry->sums.longest = event->longest;
    }
}

static void
name_of(PyObject *thread, char *name)
{
    PyObject *raised = PyErr_GetRaisedException();
    ftt_cpython_thread_name(thread, name, ROOM_OF_NAME);
    PyErr_SetRaisedException(raised);
}

static void
record(const event *event, ftt_time rate)
{
    char name[ROOM_OF_NAME] = "";
    if (event->joined != NULL) {
        name_of(event->joined, name);
    }
    ftt_line places[MOST_FRAMES];
    int depth = take_stack(places, MOST_FRAMES);
    bool kept = false;
    double weight = event->lasted < rate ? (double)rate / (double)event->lasted : 1.0;
    ftt_raw_acquire(&ftt_session_guard);
    ftt_session *session = ftt_session_now;
    if (session != NULL && ftt_profiling == PyInterpreterState_Get() &&
        event->began >= session->began) {
        add(session, event, ftt_keep_stack(session, places, depth, &kept), name, weight);
        adapt_rate(session, event->kind, event->now);
    }
    ftt_raw_release(&ftt_session_guard);
    if (!kept) {
        ftt_drop_stack(places, depth);
    }
}

static void
sample(const event *event)
{
    ftt_time rate = atomic_load_explicit(&ftt_rates[event->kind], memory_order_relaxed);
    if (event->lasted > 0 &&
        (event->lasted >= rate || (ftt_time)(roll() % (uint64_t)rate) < event->lasted)) {
        record(event, rate);
    }
}

static bool
is_home(void)
{
    return atomic_load_explicit(&ftt_profiling, memory_order_relaxed) == PyInterpreterState_Get();
}

void
ftt_timing_begin_slow(ftt_timing *timing)
{
    timing->began = is_home() ? ftt_now() : 0;
    timing->slept = 0;
    timing->inner = spent;
}

void
ftt_timing_end_slow(const ftt_timing *timing, int kind, const void *key, PyObject *object)
{
    ftt_time now = ftt_now();
    /* Without waits inside this one: of handlers that ran, of the lock that a condition asked. */
    ftt_time inside = spent - timing->inner;
    ftt_time lasted = now - timing->began - inside;
    spent = timing->inner + (now - timing->began);
    ftt_time awake = timing->slept != 0      ? timing->slept - timing->began
                     : kind == FTT_CONTENDED ? lasted
                                             : 0;
    const event event = {.kind = kind,
                         .lock = key,
                         .type = Py_TYPE(object),
                         .joined = kind == FTT_JOINED ? object : NULL,
                         .began = timing->began,
                         .now = now,
                         .lasted = lasted,
                         .aside = awake < lasted ? awake : lasted,
                         .longest = lasted};
    sample(&event);
}

void
ftt_timing_end_condition(const ftt_timing *timing, ftt_time reacquires, const void *lock,
                         PyObject *condition)
{
    if (timing->began == 0) {
        return;
    }
    if (reacquires >= timing->began && lock != NULL) {
        ftt_time now = ftt_now(), lasted = now - reacquires;
        const event event = {.kind = FTT_CONTENDED,
                             .lock = lock,
                             .type = Py_TYPE(condition),
                             .began = reacquires,
                             .now = now,
                             .lasted = lasted,
                             .longest = lasted};
        sample(&event);
        spent += lasted;
    }
    ftt_timing_end_slow(timing, FTT_AWAITED, NULL, condition);
}

void
ftt_blame_me(const void *key, ftt_blame blame)
{
    if (is_home()) {
        ftt_time now = ftt_now();
        const event event = {.kind = FTT_BLAMED,
                             .lock = key,
                             .began = now - blame.held,
                             .now = now,
                             .lasted = blame.waited,
                             .aside = blame.held,
                             .longest = blame.held};
        sample(&event);
    }
}
