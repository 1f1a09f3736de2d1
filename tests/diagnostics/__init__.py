"""What threads wait for and who keeps them: the waits, the owners, and what never ends."""
