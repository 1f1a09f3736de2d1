/* What a contention profile keeps.

   A session has stacks, each once, with references to their code; entries, one for
   each kind, stack and lock, or name of a thread that was joined; and where locks were made.
   A lock is known by its address, and for reports by the place where it was made, if that was
   seen; then all made there are one.  An address may be used again for another lock: its making
   is seen too.  All of it is bounded: beyond
   MOST_STACKS or MOST_ENTRIES a record is only counted, as lost; and of more than FTT_MADE locks
   that are made, some are not remembered.

   Who may do what.  Everything in a session is changed under ftt_session_guard, a raw lock, by attached
   threads that do nothing there but plain C: no Python runs, so no signal handler, finalizer or collection
   comes between, and it is not held across a stop of the world.  References are dropped after it.
   A session is freed by the last who lets go of it: those who have asked for the profile, and those
   who read it meanwhile.  Readers copy one entry at a time under the guard; stacks, once in, do not
   change.  What began before the session, a wait or the first of the waits that a release ends, is not
   in it; what ends after it is dropped.

   In the child of a fork there is no session: nothing of the parent's is touched (another thread may
   have been changing it), and the profile of a child would be its own. */

#include "session.h"

#include <stdlib.h>
#include <string.h>

#define MOST_STACKS 20000
#define MOST_ENTRIES 50000
#define NEAR 8u /* places for one in `made` */

ftt_raw_lock ftt_session_guard = FTT_RAW_LOCK_INIT;
ftt_session *ftt_session_now;
int ftt_session_users;
_Atomic ftt_time ftt_rates[FTT_KINDS];

void
ftt_drop_stack(const ftt_line *places, int depth)
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

const ftt_stack *
ftt_keep_stack(ftt_session *session, const ftt_line *places, int depth, bool *kept)
{
    uint64_t hash = (uint64_t)depth;
    for (int i = 0; i < depth; i++) {
        hash = mix(mix(hash, (uintptr_t)places[i].code), (uint64_t)places[i].instruction);
    }
    ftt_stack **bucket = &session->stacks[hash % FTT_BUCKETS];
    for (ftt_stack *each = *bucket; each != NULL; each = each->next) {
        bool same = each->hash == hash && each->depth == depth;
        for (int i = 0; same && i < depth; i++) {
            same = each->places[i].code == places[i].code &&
                   each->places[i].instruction == places[i].instruction;
        }
        if (same) {
            return each;
        }
    }
    ftt_stack *made = session->stack_count >= MOST_STACKS
                      ? NULL
                      : malloc(sizeof(ftt_stack) + (size_t)depth * sizeof(ftt_line));
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

static uint32_t
first_place(const void *key)
{
    return (uint32_t)(mix(0, (uintptr_t)key) >> 32) % FTT_MADE;
}

static const ftt_stack *
maker_of(ftt_session *session, const void *key)
{
    for (uint32_t i = 0; key != NULL && i < NEAR; i++) {
        uint32_t at = (first_place(key) + i) % FTT_MADE;
        if (session->made[at].key == key) {
            return session->made[at].where;
        }
    }
    return NULL;
}

void
ftt_set_maker(ftt_session *session, const void *key, const ftt_stack *where, uint32_t chance)
{
    uint32_t at = first_place(key), chosen = (at + chance % NEAR) % FTT_MADE;
    for (uint32_t i = NEAR; i-- > 0;) {
        uint32_t each = (at + i) % FTT_MADE;
        if (session->made[each].key == NULL) {
            chosen = each;
        }
    }
    for (uint32_t i = 0; i < NEAR; i++) {
        uint32_t each = (at + i) % FTT_MADE;
        if (session->made[each].key == key) {
            chosen = each;
        }
    }
    session->made[chosen].key = key;
    session->made[chosen].where = where;
}

ftt_entry *
ftt_entry_for(ftt_session *session, int kind, const void *lock, const ftt_stack *where,
              PyTypeObject *type, const char *name)
{
    const ftt_stack *made = maker_of(session, lock);
    const void *what = made != NULL ? made : lock;
    uint64_t hash = mix(mix(mix((uint64_t)kind, (uintptr_t)what), (uintptr_t)where),
                        (uintptr_t)type);
    for (const char *letter = name; *letter != '\0'; letter++) {
        hash = mix(hash, (unsigned char)*letter);
    }
    ftt_entry **bucket = &session->entries[hash % FTT_BUCKETS];
    for (ftt_entry *each = *bucket; each != NULL; each = each->next) {
        if (each->hash == hash && each->kind == kind && each->where == where &&
            each->type == type && each->made == made && (made != NULL || each->lock == lock) &&
            strcmp(each->name, name) == 0) {
            return each;
        }
    }
    ftt_entry *made_now =
        session->entry_count >= MOST_ENTRIES ? NULL
                                             : calloc(1, sizeof(*made_now) + strlen(name) + 1);
    if (made_now != NULL) {
        made_now->kind = kind;
        made_now->lock = lock;
        made_now->made = made;
        made_now->where = where;
        made_now->type = (PyTypeObject *)Py_XNewRef(type);
        made_now->hash = hash;
        strcpy(made_now->name, name);
        made_now->next = *bucket;
        *bucket = made_now;
        *session->last = made_now;
        session->last = &made_now->later;
        session->entry_count++;
    }
    return made_now;
}

void
ftt_profiling_after_fork(void)
{
    ftt_raw_reinit(&ftt_session_guard);
    ftt_session_now = NULL;
    ftt_session_users = 0;
    atomic_store_explicit(&ftt_profiling, NULL, memory_order_relaxed);
}

static void
free_session(ftt_session *session)
{
    while (session->first != NULL) {
        ftt_entry *each = session->first;
        session->first = each->later;
        Py_XDECREF(each->type);
        free(each);
    }
    for (uint32_t i = 0; i < FTT_BUCKETS; i++) {
        while (session->stacks[i] != NULL) {
            ftt_stack *each = session->stacks[i];
            session->stacks[i] = each->next;
            ftt_drop_stack(each->places, each->depth);
            free(each);
        }
    }
    free(session);
}

void
ftt_session_let_go(ftt_session *session)
{
    ftt_raw_acquire(&ftt_session_guard);
    bool last = --session->references == 0;
    ftt_raw_release(&ftt_session_guard);
    if (last) {
        free_session(session);
    }
}
