"""Reads what the engine would do and explains it to people."""
