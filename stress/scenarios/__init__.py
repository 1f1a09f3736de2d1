"""The shipped scenarios, one file for each kind of primitive."""
