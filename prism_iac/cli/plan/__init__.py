"""`prism-iac plan` and `prism-iac up`: what an update would do, and the update that does just that."""

from prism_iac.cli.plan._plan import plan
from prism_iac.cli.plan._up import up

__all__ = ["plan", "up"]
