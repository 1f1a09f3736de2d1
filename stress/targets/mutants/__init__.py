"""Mutants: the golden reference with one bug each, by which the harness itself is tested."""
