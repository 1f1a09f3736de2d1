"""What can be tested: any module by its name, the golden reference, and its mutants."""
