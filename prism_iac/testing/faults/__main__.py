"""Kills engine, provider and backend in the life of a program."""

import sys

from prism_iac.testing.faults._command import main

sys.exit(main(sys.argv[1:]))
