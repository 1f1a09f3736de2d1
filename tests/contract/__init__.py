"""What users of `threading` count on, put to ours and to the interpreter's own."""
