"""Brings a stack's state and its peers together after a crash, and finds what is in no state.

Main entries: `decide` and `apply`, which settle operations that were cut off, and `find_orphans`. Uses the services of the
faces and `lifecycle`; knows the engine's documents, and must not call its command line.
"""

from prism_iac.provider.repair._marks import Marks, Owner
from prism_iac.provider.repair._orphans import VM_PROCESS, Orphan, find_orphans, remove_orphan
from prism_iac.provider.repair._services import Services
from prism_iac.provider.repair._settle import Decision, Outcome, apply, decide, finished
from prism_iac.provider.repair._state import Operation, Pending, StackState
from prism_iac.provider.repair._unlisted import Unlisted, unlisted

__all__ = [
    "VM_PROCESS",
    "Decision",
    "Marks",
    "Operation",
    "Orphan",
    "Outcome",
    "Owner",
    "Pending",
    "Services",
    "StackState",
    "Unlisted",
    "apply",
    "decide",
    "find_orphans",
    "finished",
    "remove_orphan",
    "unlisted",
]
