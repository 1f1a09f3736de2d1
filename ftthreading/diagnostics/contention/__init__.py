"""The contention profile: which lines wait for locks, and which make others wait."""
