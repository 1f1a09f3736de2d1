"""Child processes as seen from outside: what the kernel says of them, and their last words."""
