"""The primitives, one by one, and the C core that they stand on."""
