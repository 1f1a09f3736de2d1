"""The scripts in ci/, the package as it is built, the pages."""
