/* How long a pause takes, which differs tenfold between processors. */

#include "pause.h"

#define TRIALS 5
#define TRIAL 200 /* pauses */

ftt_word ftt_spin_limit = 0;

uint32_t
ftt_pauses_in(ftt_time time)
{
    /* The shortest of a few trials: a longer one was interrupted. */
    ftt_time best = FTT_FOREVER;
    for (int trial = 0; trial < TRIALS; trial++) {
        ftt_time start = ftt_now();
        ftt_pause_times(TRIAL);
        ftt_time took = ftt_now() - start;
        best = took < best ? took : best;
    }
    uint32_t count = (uint32_t)(time * TRIAL / (best > 0 ? best : 1));
    return count > 0 ? count : 1;
}
