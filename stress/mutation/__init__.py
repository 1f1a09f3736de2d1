"""Mutation testing: how many of the planted bugs the harness finds."""
