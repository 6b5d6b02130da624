"""What an environment demands of its computations, written once."""
