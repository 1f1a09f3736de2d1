"""What is measured: a module for each kind of case, and the catalogue of all."""
