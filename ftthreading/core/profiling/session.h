/* What a contention profile keeps (see session.c). */

#ifndef FTT_PROFILE_SESSION_H
#define FTT_PROFILE_SESSION_H

#include "profiling.h"

#define FTT_BUCKETS 8192u
#define FTT_MADE 32768u

typedef struct {
    PyCodeObject *code;
    int instruction;
} ftt_line;

typedef struct ftt_stack {
    struct ftt_stack *next; /* in its bucket */
    uint64_t hash;
    int depth;
    ftt_line places[];
} ftt_stack;

typedef struct {
    double count;
    double total, aside; /* ns; `aside`: awake, of waits; held, of releases */
    ftt_time longest;    /* of a wait; of a hold */
} ftt_sums;

typedef struct ftt_entry {
    struct ftt_entry *next;  /* in its bucket */
    struct ftt_entry *later; /* of all, in the order in which they came */
    int kind;
    const void *lock;
    const ftt_stack *made;
    const ftt_stack *where;
    PyTypeObject *type; /* NULL: not known */
    uint64_t hash;
    ftt_sums sums;
    char name[]; /* of the thread that was joined; else empty */
} ftt_entry;

typedef struct {
    int references;
    ftt_time began;
    ftt_stack *stacks[FTT_BUCKETS];
    ftt_entry *entries[FTT_BUCKETS];
    ftt_entry *first, **last;
    uint32_t stack_count, entry_count;
    uint64_t lost;
    int hits[FTT_KINDS];
    ftt_time window[FTT_KINDS];
    struct {
        const void *key;
        const ftt_stack *where;
    } made[FTT_MADE];
} ftt_session;

/* Guards all of it but the rates, and is held for plain C only. */
extern ftt_raw_lock ftt_session_guard;
extern ftt_session *ftt_session_now;
extern int ftt_session_users;
extern _Atomic ftt_time ftt_rates[FTT_KINDS];

/* Guarded.  The session's copy of a stack; *kept: the references have gone into it.  NULL if it is
   full. */
const ftt_stack *ftt_keep_stack(ftt_session *session, const ftt_line *places, int depth,
                                bool *kept);

/* Guarded.  NULL if it is full. */
ftt_entry *ftt_entry_for(ftt_session *session, int kind, const void *lock, const ftt_stack *where,
                         PyTypeObject *type, const char *name);

/* Guarded.  `chance` decides whose place it takes where there is none. */
void ftt_set_maker(ftt_session *session, const void *key, const ftt_stack *where, uint32_t chance);

/* The references of a stack that was not kept. */
void ftt_drop_stack(const ftt_line *places, int depth);

/* Not guarded: drops one of `references`. */
void ftt_session_let_go(ftt_session *session);

#endif
