"""Of threads: their registry, hooks, ends, timers, thread-local values, and forks."""
