"""A workspace as the command line reaches it, for the room that exchanges computations."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from prism_iac.cli._prism import Prism
from prism_iac.errors import Conflict

if TYPE_CHECKING:
    from prism_iac.prism import UserRecord, Workspace

__all__ = ["CommandLineAccess"]


class CommandLineAccess:
    """Acts as the user who calls; on the embedded backend its administrator may act for participants."""

    def __init__(self, prism: Prism) -> None:
        self._prism = prism
        self._known: dict[str, Workspace | None] = {}
        self._lock = threading.Lock()

    @property
    def workspace(self) -> Workspace:
        """The workspace as the user who calls."""
        return self._prism.workspace

    @cached_property
    def user_id(self) -> str:
        """The user who calls."""
        return self._prism.client.users.profile().id

    def members(self) -> Iterable[UserRecord]:
        """The users who belong to the workspace."""
        return self._prism.client.domains.members(self._prism.domain.id)

    def acting_for(self, user_id: str) -> Workspace | None:
        """The workspace as a member; None where nobody here may act for them."""
        if user_id == self.user_id:
            return self.workspace
        with self._lock:
            if user_id not in self._known:
                self._known[user_id] = self._connected(user_id)
            return self._known[user_id]

    def find_user(self, email: str) -> str | None:
        """The id of a user; on the embedded backend an account is made when there is none."""
        users = self._prism.client.users
        found = users.find(email)
        embedded = self._prism.embedded
        if found is None and embedded is not None and not self._prism.acting_as:
            embedded.accounts.ensure_user(email)
            found = users.find(email)
        return found.id if found else None

    def _connected(self, user_id: str) -> Workspace | None:
        embedded = self._prism.embedded
        if embedded is None or self._prism.acting_as:
            return None
        try:
            who = embedded.accounts.ensure_user(self._prism.client.users.get(user_id).email)
        except Conflict:
            return None
        return self._prism.connect_as(who).workspace(self._prism.domain.id)
