"""`prism-iac import`, `export`, `adopt`, `switch`, `backup`, `restore`: computations between files, a workspace and a stack."""

from prism_iac.cli.exchange._adopt import adopt
from prism_iac.cli.exchange._backup import backup, restore
from prism_iac.cli.exchange._export import export
from prism_iac.cli.exchange._import import import_
from prism_iac.cli.exchange._switch import switch

__all__ = ["adopt", "backup", "export", "import_", "restore", "switch"]
