"""Hooks of training loops, one a file."""
