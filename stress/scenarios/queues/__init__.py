"""Of queues, futures and executors upon a target's primitives."""
