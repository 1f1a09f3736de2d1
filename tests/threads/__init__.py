"""Thread and Timer: their start, their end, and the hooks that see them."""
