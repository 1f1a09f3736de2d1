"""Of what comes in the midst: signal handlers, exceptions from outside, storms."""
