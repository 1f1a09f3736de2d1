"""The tests, in rooms as the source is."""
