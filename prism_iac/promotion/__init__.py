"""Carries what was proven in one environment to the next."""
