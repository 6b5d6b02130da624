"""`prism-iac ephemeral`: a stack of its own for a pull request, with an end."""

from prism_iac.cli.ephemeral._command import app

__all__ = ["app"]
