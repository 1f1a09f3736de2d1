"""Tests of what stress, perf and ci stand on."""
