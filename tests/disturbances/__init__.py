"""What comes while threads wait: signals, fork, collections, the interpreter's end."""
