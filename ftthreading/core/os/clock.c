/* The clocks, which both ways to sleep go by. */

#define _GNU_SOURCE
#include <time.h>

#include "os.h"

ftt_time
ftt_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (ftt_time)now.tv_sec * 1000000000 + now.tv_nsec;
}

ftt_time
ftt_time_run(void)
{
    struct timespec run;
    bool told = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &run) == 0; /* a sandbox may refuse it */
    return told ? (ftt_time)run.tv_sec * 1000000000 + run.tv_nsec : -1;
}
