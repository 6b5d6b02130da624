"""What every request may use, wired together once at the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from prism_iac.backend._certificates import CertificateOffice
from prism_iac.backend._clock import Clock
from prism_iac.backend._logins import LoginBrake, Passwords
from prism_iac.backend._tokens import Tokens
from prism_iac.backend.store import Database
from prism_iac.backend.store.notices import Notice

__all__ = ["Agents", "Services"]


class Agents(Protocol):
    """The connected agents, as the REST side sees them; callable from any thread."""

    def heed(self, notice: Notice) -> None:
        """Do for the agents that are connected here what follows from a change."""

    def is_serving(self) -> bool:
        """Whether agents can connect."""


@dataclass(frozen=True, slots=True)
class Services:
    """What every request may use."""

    database: Database
    clock: Clock
    tokens: Tokens
    passwords: Passwords
    brake: LoginBrake
    certificates: CertificateOffice
    agents: Agents
