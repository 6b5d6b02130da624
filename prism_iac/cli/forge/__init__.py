"""`prism-iac comment` and `prism-iac identity`: what a job of a forge does there, and how it says who it is."""

from prism_iac.cli.forge._comment import comment
from prism_iac.cli.forge._identity import app as identity

__all__ = ["comment", "identity"]
