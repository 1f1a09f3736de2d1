"""Of locks, conditions, events, semaphores and barriers."""
