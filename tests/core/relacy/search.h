/* What a test (tests.cpp) is made of, and what it may ask the search for (search.cpp). */

#ifndef SEARCH_H
#define SEARCH_H

#include "os/atomics.h"

struct test {
    const char *name;
    unsigned threads; /* 2 or 3 */
    void (*before)(void);
    void (*thread)(unsigned index); /* in all at once */
    void (*after)(void);
};

extern const test tests[]; /* the last one has no name */

#define LINE_HERE ftt_line line = {__builtin_FILE(), (unsigned)__builtin_LINE()}

/* One number without any order of its own, zero at first: what the primitives guard.  To read or write
   it while another thread may write it is an error, also if the order comes from chance. */
long data_read(LINE_HERE);
void data_write(long value, LINE_HERE);

void check(bool holds, const char *what, LINE_HERE);
#define CHECK(condition) check(condition, #condition)

/* For a loop that looks for what another thread does. */
void give_way();

#endif
