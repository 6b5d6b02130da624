"""How the agent says no: to a participant's call, and to a run.

PrismError
├── Conflict
│   └── Refused     a call does not fit; the participant may repeat it rightly
└── RunFailed       the algorithm did not come to its end
"""

from __future__ import annotations

from prism_iac.errors import Conflict, PrismError

__all__ = ["Refused", "RunFailed"]


class Refused(Conflict):
    """A participant's call does not fit; nothing was changed by it.

    Attributes:
        is_about_identity: The caller did not prove who they are.
    """

    def __init__(self, text: str, *, is_about_identity: bool = False) -> None:
        super().__init__(str(text))
        self.is_about_identity = is_about_identity


class RunFailed(PrismError):
    """The run ended without a result; the text is what result consumers are told."""
