"""`prism-iac doctor`: what keeps this machine from working, why, and what to do about it.

Main entry: `doctor`, the command; `_checks.py` lists what it looks at. Changes nothing.
"""

from prism_iac.cli.doctor._command import doctor

__all__ = ["doctor"]
