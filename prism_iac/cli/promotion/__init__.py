"""`prism-iac manifest`, `lock` and `promote`: what is proven, pinned and carried on."""

from prism_iac.cli.promotion._lock import lock
from prism_iac.cli.promotion._manifest import app as manifest
from prism_iac.cli.promotion._promote import app as promote

__all__ = ["lock", "manifest", "promote"]
