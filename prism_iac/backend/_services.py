"""What every request may use, wired together once at the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from prism_iac.backend._certificates import CertificateOffice
from prism_iac.backend._clock import Clock
from prism_iac.backend._logins import LoginBrake, Passwords
from prism_iac.backend._tokens import Tokens
from prism_iac.backend.store import Database

__all__ = ["Agents", "Services"]


class Agents(Protocol):
    """The connected agents, as the REST side sees them; callable from any thread."""

    def wake(self, cvm_id: str) -> None:
        """Look now for what the CVM's agent should be told."""

    def drop_cvm(self, cvm_id: str) -> None:
        """End every stream of a removed CVM, once its agent is told to drop its computation."""

    def drop_certificate(self, serial: str) -> None:
        """End every stream that was opened with a revoked certificate."""

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
