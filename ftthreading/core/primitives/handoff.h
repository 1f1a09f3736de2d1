/* When a lock or a semaphore is handed over to the one who has waited longest, instead of left to
   whoever takes it first. */

#ifndef FTT_HANDOFF_H
#define FTT_HANDOFF_H

#include <stdint.h>

#include "os/os.h"
#include "parking/blocking.h"

/* What a releasing thread tells the waiter it takes off the queue. */
enum {
    FTT_TOKEN_WAKE = 1,    /* it is or was free, and AWAKE is set for you: contend */
    FTT_TOKEN_HANDOFF = 2  /* it is yours */
};

/* Whether a hand-over is due to one who waits since `since`; at most one a millisecond, of
   which the caller keeps account. */
#define FTT_PATIENCE ((ftt_time)1000 * 1000) /* ns */

/* The monotonic clock in steps of 65 us, cut to 16 bits: as it begins anew all 4 s, now and then a
   hand-over that is due waits a millisecond longer. */
static inline uint16_t
ftt_handoff_stamp(ftt_time now)
{
    return (uint16_t)(now >> 16);
}

static inline bool
ftt_handoff_due(uint16_t last_handoff, ftt_time since, ftt_time now)
{
    uint16_t steps = (uint16_t)(ftt_handoff_stamp(now) - last_handoff);
    return now - since >= FTT_PATIENCE && steps > FTT_PATIENCE >> 16 && !ftt_finalizing();
}

#endif
