"""`prism-iac import` and `export`: computations between files and a workspace."""

from prism_iac.cli.exchange._export import export
from prism_iac.cli.exchange._import import import_

__all__ = ["export", "import_"]
