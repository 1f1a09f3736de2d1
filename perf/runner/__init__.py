"""What starts processes that measure, by turns, and gathers what they find."""
