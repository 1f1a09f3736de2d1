/* The contention profile: what is recorded, and how it is read.

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

   What is kept.  A session has stacks, each once, with references to their code; entries, one for
   each kind, stack and lock; and where locks were made.  A lock is known by its address, and for
   reports by the place where it was made, if that was seen; then all made there are one.  An address
   may be used again for another lock: its making is seen too.  All of it is bounded: beyond
   MOST_STACKS or MOST_ENTRIES a record is only counted, as lost; and of more than MADE locks that
   are made, some are not remembered.

   Who may do what.  Everything in a session is changed under `guard`, a raw lock, by attached threads
   that do nothing there but plain C: no Python runs, so no signal handler, finalizer or collection
   comes between, and it is not held across a stop of the world.  References are dropped after it.
   A session is freed by the last who lets go of it: those who have asked for the profile, and those
   who read it meanwhile.  Readers copy one entry at a time under the guard; stacks, once in, do not
   change.  A wait that began before the session is not in it; one that ends after it is dropped.

   In the child of a fork there is no session: nothing of the parent's is touched (another thread may
   have been changing it), and the profile of a child would be its own.

   Exceptions.  Recording changes nothing of what the caller does: what is set stays set, and what
   fails here, which can only be memory, loses a record. */

#include "profiling.h"

#include <stdlib.h>

#include "parking/blocking.h"

#define MOST_FRAMES 100
#define FRAMES_OF_MAKER 10
#define MOST_STACKS 20000
#define MOST_ENTRIES 50000
#define BUCKETS 8192u
#define MADE 32768u
#define NEAR 8u /* places for one in `made` */
#define BUDGET 100
#define WINDOW ((ftt_time)100 * 1000 * 1000) /* ns */
#define LONGEST_RATE ((ftt_time)1 << 30)    /* ns */

typedef struct {
    PyCodeObject *code;
    int instruction;
} place;

typedef struct stack {
    struct stack *next; /* in its bucket */
    uint64_t hash;
    int depth;
    place places[];
} stack;

typedef struct {
    double count;
    double total, aside; /* ns; `aside`: awake, of waits; held, of releases */
    ftt_time longest;    /* of a wait; of a hold */
} sums;

typedef struct entry {
    struct entry *next;  /* in its bucket */
    struct entry *later; /* of all, in the order in which they came */
    int kind;
    const void *lock;
    const stack *made;
    const stack *where;
    PyTypeObject *type; /* NULL: not known */
    uint64_t hash;
    sums sums;
} entry;

typedef struct {
    int references;
    stack *stacks[BUCKETS];
    entry *entries[BUCKETS];
    entry *first, **last;
    uint32_t stack_count, entry_count;
    uint64_t lost;
    int hits[FTT_KINDS];
    ftt_time window[FTT_KINDS];
    struct {
        const void *key;
        const stack *where;
    } made[MADE];
} session;

static ftt_raw_lock guard = FTT_RAW_LOCK_INIT;
static session *current; /* guarded */
static int users;        /* of it; guarded */
static _Atomic ftt_time rates[FTT_KINDS];

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

/* Taking a stack. */

/* Outermost last; new references to the code. */
static int
take_stack(place *places, int room)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    int depth = 0;
    while (frame != NULL && depth < room) {
        places[depth++] = (place){PyFrame_GetCode(frame), PyFrame_GetLasti(frame)};
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    PyErr_SetRaisedException(raised); /* in the place of a MemoryError */
    return depth;
}

static void
drop_stack(const place *places, int depth)
{
    for (int i = 0; i < depth; i++) {
        Py_DECREF(places[i].code);
    }
}

static uint64_t
mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* Guarded.  The session's copy; *kept: the references have gone into it.  NULL if it is full. */
static const stack *
keep_stack(session *session, const place *places, int depth, bool *kept)
{
    uint64_t hash = (uint64_t)depth;
    for (int i = 0; i < depth; i++) {
        hash = mix(mix(hash, (uintptr_t)places[i].code), (uint64_t)places[i].instruction);
    }
    stack **bucket = &session->stacks[hash % BUCKETS];
    for (stack *each = *bucket; each != NULL; each = each->next) {
        bool same = each->hash == hash && each->depth == depth;
        for (int i = 0; same && i < depth; i++) {
            same = each->places[i].code == places[i].code &&
                   each->places[i].instruction == places[i].instruction;
        }
        if (same) {
            return each;
        }
    }
    stack *made = session->stack_count >= MOST_STACKS
                      ? NULL
                      : malloc(sizeof(stack) + (size_t)depth * sizeof(place));
    if (made == NULL) {
        return NULL;
    }
    made->hash = hash;
    made->depth = depth;
    for (int i = 0; i < depth; i++) {
        made->places[i] = places[i];
    }
    made->next = *bucket;
    *bucket = made;
    session->stack_count++;
    *kept = true;
    return made;
}

/* Where locks were made: guarded. */

static uint32_t
first_place(const void *key)
{
    return (uint32_t)(mix(0, (uintptr_t)key) >> 32) % MADE;
}

static const stack *
maker_of(session *session, const void *key)
{
    for (uint32_t i = 0; key != NULL && i < NEAR; i++) {
        uint32_t at = (first_place(key) + i) % MADE;
        if (session->made[at].key == key) {
            return session->made[at].where;
        }
    }
    return NULL;
}

static void
set_maker(session *session, const void *key, const stack *where)
{
    uint32_t at = first_place(key), chosen = (at + roll() % NEAR) % MADE;
    for (uint32_t i = NEAR; i-- > 0;) {
        uint32_t each = (at + i) % MADE;
        if (session->made[each].key == NULL) {
            chosen = each;
        }
    }
    for (uint32_t i = 0; i < NEAR; i++) {
        uint32_t each = (at + i) % MADE;
        if (session->made[each].key == key) {
            chosen = each;
        }
    }
    session->made[chosen].key = key;
    session->made[chosen].where = where;
}

void
ftt_note_made_slow(const void *key)
{
    place places[FRAMES_OF_MAKER];
    int depth = take_stack(places, FRAMES_OF_MAKER);
    bool kept = false;
    ftt_raw_acquire(&guard);
    if (current != NULL && ftt_profiling == PyInterpreterState_Get()) {
        set_maker(current, key, keep_stack(current, places, depth, &kept));
    }
    ftt_raw_release(&guard);
    if (!kept) {
        drop_stack(places, depth);
    }
}

/* Recording. */

/* Guarded. */
static entry *
entry_for(session *session, int kind, const void *lock, const stack *where, PyTypeObject *type)
{
    const stack *made = maker_of(session, lock);
    const void *what = made != NULL ? made : lock;
    uint64_t hash = mix(mix(mix((uint64_t)kind, (uintptr_t)what), (uintptr_t)where),
                        (uintptr_t)type);
    entry **bucket = &session->entries[hash % BUCKETS];
    for (entry *each = *bucket; each != NULL; each = each->next) {
        if (each->hash == hash && each->kind == kind && each->where == where &&
            each->type == type && each->made == made && (made != NULL || each->lock == lock)) {
            return each;
        }
    }
    entry *made_now = session->entry_count >= MOST_ENTRIES ? NULL : calloc(1, sizeof(*made_now));
    if (made_now != NULL) {
        made_now->kind = kind;
        made_now->lock = lock;
        made_now->made = made;
        made_now->where = where;
        made_now->type = (PyTypeObject *)Py_XNewRef(type);
        made_now->hash = hash;
        made_now->next = *bucket;
        *bucket = made_now;
        *session->last = made_now;
        session->last = &made_now->later;
        session->entry_count++;
    }
    return made_now;
}

/* Guarded. */
static void
adapt_rate(session *session, int kind, ftt_time now)
{
    ftt_time rate = atomic_load_explicit(&rates[kind], memory_order_relaxed);
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
    atomic_store_explicit(&rates[kind], rate, memory_order_relaxed);
    session->hits[kind] = 0;
    session->window[kind] = now;
}

typedef struct {
    int kind;
    const void *lock;
    PyTypeObject *type;
    ftt_time lasted, aside, longest, now;
} event;

static void
record(const event *event, ftt_time rate)
{
    place places[MOST_FRAMES];
    int depth = take_stack(places, MOST_FRAMES);
    bool kept = false;
    double weight = event->lasted < rate ? (double)rate / (double)event->lasted : 1.0;
    ftt_raw_acquire(&guard);
    if (current != NULL && ftt_profiling == PyInterpreterState_Get()) {
        const stack *where = keep_stack(current, places, depth, &kept);
        entry *found = where == NULL ? NULL
                                     : entry_for(current, event->kind, event->lock, where,
                                                 event->type);
        if (found == NULL) {
            current->lost++;
        }
        else {
            found->sums.count += weight;
            found->sums.total += weight * (double)event->lasted;
            found->sums.aside += weight * (double)event->aside;
            if (event->longest > found->sums.longest) {
                found->sums.longest = event->longest;
            }
        }
        adapt_rate(current, event->kind, event->now);
    }
    ftt_raw_release(&guard);
    if (!kept) {
        drop_stack(places, depth);
    }
}

static void
sample(const event *event)
{
    ftt_time rate = atomic_load_explicit(&rates[event->kind], memory_order_relaxed);
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
    ftt_time awake = timing->slept != 0             ? timing->slept - timing->began
                     : kind == FTT_CONTENDED ? lasted
                                             : 0;
    event event = {kind, key, Py_TYPE(object), lasted, awake < lasted ? awake : lasted, lasted, now};
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
        ftt_time now = ftt_now();
        event event = {FTT_CONTENDED, lock, Py_TYPE(condition), now - reacquires, 0,
                       now - reacquires, now};
        sample(&event);
        spent += now - reacquires;
    }
    ftt_timing_end_slow(timing, FTT_AWAITED, NULL, condition);
}

void
ftt_blame_me(const void *key, ftt_blame blame)
{
    if (is_home()) {
        event event = {FTT_BLAMED, key, NULL, blame.waited, blame.held, blame.held, ftt_now()};
        sample(&event);
    }
}

void
ftt_profiling_after_fork(void)
{
    ftt_raw_reinit(&guard);
    current = NULL;
    users = 0;
    atomic_store_explicit(&ftt_profiling, NULL, memory_order_relaxed);
}

/* Beginning, reading, ending: for Python. */

static void
free_session(session *session)
{
    while (session->first != NULL) {
        entry *each = session->first;
        session->first = each->later;
        Py_XDECREF(each->type);
        free(each);
    }
    for (uint32_t i = 0; i < BUCKETS; i++) {
        while (session->stacks[i] != NULL) {
            stack *each = session->stacks[i];
            session->stacks[i] = each->next;
            drop_stack(each->places, each->depth);
            free(each);
        }
    }
    free(session);
}

static void
let_go(session *session)
{
    ftt_raw_acquire(&guard);
    bool last = --session->references == 0;
    ftt_raw_release(&guard);
    if (last) {
        free_session(session);
    }
}

/* _profile_start(): waits are recorded until _profile_stop() has been called as often; whether they
   were not before. */
static PyObject *
start(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    void *here = PyInterpreterState_Get();
    session *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL) {
        return PyErr_NoMemory();
    }
    fresh->last = &fresh->first;
    fresh->references = 1;
    ftt_raw_acquire(&guard);
    bool another = users > 0 && ftt_profiling != here;
    if (users == 0) {
        for (int i = 0; i < FTT_KINDS; i++) {
            atomic_store_explicit(&rates[i], 1, memory_order_relaxed);
            fresh->window[i] = ftt_now();
        }
        current = fresh;
        fresh = NULL;
        atomic_store_explicit(&ftt_profiling, here, memory_order_relaxed);
    }
    users += !another;
    ftt_raw_release(&guard);
    bool first = fresh == NULL;
    free(fresh);
    if (another) {
        PyErr_SetString(PyExc_RuntimeError, "another interpreter is being profiled");
        return NULL;
    }
    return PyBool_FromLong(first);
}

/* _profile_stop(): whether it had been started. */
static PyObject *
stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    session *ended = NULL;
    ftt_raw_acquire(&guard);
    bool started = users > 0 && ftt_profiling == PyInterpreterState_Get();
    if (started && --users == 0) {
        ended = current;
        current = NULL;
        atomic_store_explicit(&ftt_profiling, NULL, memory_order_relaxed);
    }
    ftt_raw_release(&guard);
    if (ended != NULL) {
        let_go(ended);
    }
    return PyBool_FromLong(started);
}

/* ((code, line), ...), innermost first; the same object for the same stack. */
static PyObject *
tuple_of_stack(PyObject *known, const stack *stack)
{
    PyObject *key = PyLong_FromVoidPtr((void *)stack), *tuple = NULL;
    if (key == NULL || PyDict_GetItemRef(known, key, &tuple) != 0) {
        Py_XDECREF(key);
        return tuple;
    }
    tuple = PyTuple_New(stack->depth);
    for (int i = 0; tuple != NULL && i < stack->depth; i++) {
        const place *place = &stack->places[i];
        PyObject *pair = Py_BuildValue("(Oi)", place->code,
                                       PyCode_Addr2Line(place->code, place->instruction));
        if (pair == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, pair);
    }
    if (tuple != NULL && PyDict_SetItem(known, key, tuple) < 0) {
        Py_CLEAR(tuple);
    }
    Py_DECREF(key);
    return tuple;
}

static PyObject *
tuple_of_entry(PyObject *known, const entry *entry, const sums *sums)
{
    PyObject *where = tuple_of_stack(known, entry->where);
    PyObject *made = entry->made == NULL ? Py_NewRef(Py_None) : tuple_of_stack(known, entry->made);
    PyObject *lock = PyLong_FromVoidPtr((void *)entry->lock);
    PyObject *type = entry->type == NULL ? Py_None : (PyObject *)entry->type;
    PyObject *tuple = NULL;
    if (where != NULL && made != NULL && lock != NULL) {
        tuple = Py_BuildValue("(iOOOOdddL)", entry->kind, lock, type, made, where, sums->count,
                              sums->total, sums->aside, (long long)sums->longest);
    }
    Py_XDECREF(where);
    Py_XDECREF(made);
    Py_XDECREF(lock);
    return tuple;
}

static int
read_entries(session *session, PyObject *list)
{
    PyObject *known = PyDict_New();
    int failed = known == NULL;
    ftt_raw_acquire(&guard);
    const entry *each = session->first;
    ftt_raw_release(&guard);
    while (!failed && each != NULL) {
        ftt_raw_acquire(&guard);
        sums sums = each->sums;
        const entry *later = each->later;
        ftt_raw_release(&guard);
        PyObject *tuple = tuple_of_entry(known, each, &sums);
        failed = tuple == NULL || PyList_Append(list, tuple) < 0;
        Py_XDECREF(tuple);
        each = later;
    }
    Py_XDECREF(known);
    return failed ? -1 : 0;
}

/* _profile_read(): how many records were lost, and the entries in the order in which they came:
   kind, address of the lock, type or None, where it was made or None, where the wait or release was,
   number, total, aside (ns), longest (ns).  None if there is no session of this interpreter. */
static PyObject *
read_profile(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    uint64_t lost = 0;
    ftt_raw_acquire(&guard);
    session *session = ftt_profiling == PyInterpreterState_Get() ? current : NULL;
    if (session != NULL) {
        session->references++;
        lost = session->lost;
    }
    ftt_raw_release(&guard);
    if (session == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *list = PyList_New(0);
    if (list != NULL && read_entries(session, list) < 0) {
        Py_CLEAR(list);
    }
    let_go(session);
    return list == NULL ? NULL : Py_BuildValue("(KN)", (unsigned long long)lost, list);
}

/* _threads_time(): for how long all threads have existed together, ns, since some time. */
static PyObject *
threads_time(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLongLong(ftt_threads_time());
}

PyMethodDef ftt_profiling_methods[] = {
    {"_profile_start", start, METH_NOARGS, NULL},
    {"_profile_stop", stop, METH_NOARGS, NULL},
    {"_profile_read", read_profile, METH_NOARGS, NULL},
    {"_threads_time", threads_time, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
