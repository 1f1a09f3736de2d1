"""Runs a plan: batch after batch, each in a child process that is watched."""
