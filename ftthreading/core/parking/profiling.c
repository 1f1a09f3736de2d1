/* Whom to blame for waits (see profiling.h). */

#include "profiling.h"
#include "table.h"

#define MOST_CHARGED 64 /* in a longer queue the oldest of them stand for all */

_Atomic(void *) ftt_profiling;

ftt_blame
ftt_charge(ftt_waiter *oldest, const void *key, ftt_time now)
{
    ftt_blame blame = {0, now - oldest->charged};
    int count = 0;
    for (ftt_waiter *waiter = oldest; waiter != NULL && count < MOST_CHARGED; count++) {
        blame.waited += now - waiter->charged;
        waiter->charged = now;
        waiter = ftt_first_from(waiter->next, key);
    }
    return blame;
}
