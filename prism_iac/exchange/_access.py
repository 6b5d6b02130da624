"""The way to the workspace that computations are brought into or taken from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from prism_iac.model import nearest

if TYPE_CHECKING:
    from prism_iac.prism import UserRecord, Workspace

__all__ = ["Access", "Members"]


class Access(Protocol):
    """A workspace as one user, and as the participants whose credentials are at hand."""

    @property
    def workspace(self) -> Workspace:
        """The workspace as the user who imports or exports."""

    @property
    def user_id(self) -> str:
        """That user."""

    def members(self) -> Iterable[UserRecord]:
        """The users who belong to the workspace."""

    def acting_for(self, user_id: str) -> Workspace | None:
        """The workspace as one of its members; None where nobody here may act for them."""


class Members:
    """The members of a workspace, found by id, email address or user name."""

    def __init__(self, records: Iterable[UserRecord]) -> None:
        self._names: dict[str, str] = {}
        self._choices: list[str] = []
        self._advice: dict[str, str] = {}
        for record in records:
            self._choices.append(record.email or record.username or record.id)
            for name in (record.username, record.email.lower(), record.id):
                if name:
                    self._names[name] = record.id

    def find(self, user: str) -> str | None:
        """The id of a member."""
        return self._names.get(user)

    def advice(self, user: str) -> str:
        """What to write instead of a user who is no member."""
        if user not in self._advice:
            self._advice[user] = nearest(user, self._choices)
        return self._advice[user]
