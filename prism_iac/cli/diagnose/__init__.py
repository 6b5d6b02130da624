"""`prism-iac diagnose`: what keeps a computation from its result, why, and what to do about it.

Main entry: `diagnose`, the command; `_checks.py` lists what it looks at. Changes nothing.
"""

from prism_iac.cli.diagnose._command import diagnose

__all__ = ["diagnose"]
