"""`prism-iac comment`: a plan where its pull request is talked about."""

from prism_iac.cli.forge._comment import comment

__all__ = ["comment"]
