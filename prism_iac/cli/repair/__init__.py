"""`prism-iac repair` and `orphans`: after a crash, the state and what is there are brought together."""

from prism_iac.cli.repair._orphans import orphans
from prism_iac.cli.repair._repair import repair

__all__ = ["orphans", "repair"]
