"""What may exist and nobody can list: a manager of Cocos has no list (cocos-grpc.md section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prism_iac.model import VmProvider, parse_duration
from prism_iac.model.resources import DEFAULT_TTL
from prism_iac.provider.repair._recorded import kind_of, name_of, plain

__all__ = ["Unlisted", "unlisted"]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A machine that a create may have made whose answer was lost.

    Attributes:
        name: The logical name of the VM.
        manager: Who may have made it, `host:port`.
        until: When it has ended at the latest, if nothing makes one from now on.
    """

    name: str
    manager: str
    until: datetime

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.name}: the manager at {self.manager} has no list; a machine of this VM that nobody knows of ends "
            f"by itself until {self.until:%Y-%m-%d %H:%M} UTC, and Prism lets it in no more after the next update"
        )


def unlisted(resources: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[Unlisted]:
    """For each VM of a manager, what may exist besides the machine that the state knows."""
    for resource in resources:
        if kind_of(resource) != "ConfidentialVM":
            continue
        inputs = plain(resource, "inputs")
        if inputs.get("provider") == VmProvider.COCOS:
            ttl = parse_duration(inputs.get("ttl") or DEFAULT_TTL)
            yield Unlisted(name_of(resource), str(inputs.get("manager", "")), now + ttl)
