"""Linearizability: one order of all calls has to explain what each thread saw."""
