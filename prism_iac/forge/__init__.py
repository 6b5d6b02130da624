"""Tells a plan to a pull request."""
