"""See inside a running program."""
