/* What a newcomer does first about a lock that another thread has (the reasons are in backoff.c). */

#ifndef FTT_BACKOFF_H
#define FTT_BACKOFF_H

#include "lock_word.h"

/* For a lock found taken: stays awake for a while, and tries again.  Takes the time from a
   timeout. */
bool ftt_lock_back_off(ftt_lock *lock, int64_t *timeout);

#endif
