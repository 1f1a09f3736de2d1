"""The same kind of programs, each built on a library that has to be installed.

A program finds `measured` and `web` in its own folder, so both are here as links to the files.
"""
