"""Carries what was proven in one environment to the next, signed and approved.

Main entries: `promote`, `approve`. What a record says and how it is verified is `prism_iac.spec.promotions`; here
records are made. The state of the source, keys and the time are passed in. Reads and writes files of the repository;
no network. Imports `spec` and what is below it.
"""

from prism_iac.promotion._approve import Approved, approve
from prism_iac.promotion._parity import Difference, differences_between
from prism_iac.promotion._promote import Carried, promote

__all__ = ["Approved", "Carried", "Difference", "approve", "differences_between", "promote"]
