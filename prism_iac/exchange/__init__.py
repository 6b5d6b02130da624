"""Brings computations in from files and takes them out again."""
