"""The way from a handler to its peers, for one deployment.

One session serves every resource of a deployment from many threads: one client per acting user, one
look-up of each workspace and user, one batched read of each list.
"""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from prism_iac.errors import Conflict
from prism_iac.lifecycle._home import Home, Settings, open_home
from prism_iac.lifecycle._once import Once
from prism_iac.lifecycle._snapshot import Snapshot
from prism_iac.model import VmProvider

if TYPE_CHECKING:
    from prism_iac.hypervisor import Hypervisor
    from prism_iac.prism import Credentials, DomainRecord, PrismClient, UserRecord, Workspace

__all__ = ["Session"]


class Session:
    """The connections of one deployment; safe for use from many threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._may_start = False
        self._homes = Once[str, Home](lambda _: open_home(settings, may_start=lambda: self._may_start))
        self._clients: Once[Credentials, PrismClient] = Once(self._connect)
        self._domains: Once[str, DomainRecord] = Once(lambda name: self._home.domain(self._platform, name))
        self._users: Once[str, UserRecord | None] = Once(self._look_up)
        self._members: Once[tuple[str, str], UserRecord] = Once(lambda key: self._member(*key))
        self._snapshots = Once[str, Snapshot](lambda name: Snapshot(self.workspace(name)))
        self._locks = Once[str, threading.Lock](lambda _: threading.Lock())

    def close(self) -> None:
        """End every connection."""
        for client in self._clients.values():
            client.close()
        for home in self._homes.values():
            home.close()

    def allow_start(self) -> None:
        """From here on the embedded backend may be started; a preview never says so."""
        self._may_start = True

    def workspace(self, name: str) -> Workspace:
        """A workspace by name, alias or id, as the platform's user.

        Raises:
            InvalidInput: There is no such workspace.
            RemoteFailure: Prism does not answer.
        """
        return self._platform.workspace(self._domains[name].id)

    def has_workspace(self, name: str) -> bool:
        """Whether there is a workspace of a name, alias or id that the platform's user may see; none is made."""
        return self._platform.domains.find(name) is not None

    def acting_for(self, user: str | None, workspace: str) -> Workspace:
        """A workspace as one of its participants; as the platform's user when none is named.

        Raises:
            Conflict: No credentials are configured for that user.
            InvalidInput: There is no such user.
        """
        if user is None:
            return self.workspace(workspace)
        record = self.user(user, workspace)
        credentials = self._credentials_of(record)
        if credentials is None:
            raise Conflict(
                f"no credentials are configured to act for {user}",
                next_step=f"Set them under `prism:participants`, or let {user} do it and run the update again.",
            )
        return self._clients[credentials].workspace(self._domains[workspace].id)

    def can_act_for(self, user: str, workspace: str) -> bool:
        """Whether credentials of a user are at hand."""
        return self._credentials_of(self.user(user, workspace)) is not None

    @cached_property
    def platform_user(self) -> UserRecord:
        """The user that the provider is configured with."""
        return self._platform.users.profile()

    def user(self, user: str, workspace: str) -> UserRecord:
        """A user by email address, user name or id; a member of the workspace.

        On the embedded backend the account is made and joined to the workspace when it is missing.

        Raises:
            InvalidInput: There is no such user.
        """
        return self._members[user, workspace]

    def find_user(self, user: str) -> UserRecord | None:
        """A user by email address, user name or id; None when there is none."""
        return self._users[user]

    def name_of(self, user_id: str) -> str:
        """How people know a user: the email address, else the user name, else the id."""
        record = self._users[user_id]
        return record.email or record.username if record is not None else user_id

    def snapshot(self, workspace: str) -> Snapshot:
        """The batched reads of a workspace."""
        return self._snapshots[workspace]

    def exclusively(self, key: str) -> threading.Lock:
        """A lock for what two resources of this deployment must not change at once."""
        return self._locks[key]

    def hypervisor(self, provider: VmProvider) -> Hypervisor:
        """The driver that makes the VMs of a provider on this machine."""
        from prism_iac.hypervisor import open_hypervisor

        return open_hypervisor(provider, data=self.settings.data)

    @property
    def control_address(self) -> str:
        """Where agents reach the control stream, `host:port`.

        Raises:
            Conflict: A hosted Prism without a configured address.
        """
        address = self._home.control_address
        if address is None:
            raise Conflict(
                "the address of the agents' control stream is not known",
                next_step="Set `prism:controlAddress` to host:port of your Prism.",
            )
        return address

    @property
    def _home(self) -> Home:
        return self._homes[self.settings.endpoint]

    @property
    def _platform(self) -> PrismClient:
        return self._clients[self._home.credentials]

    def _credentials_of(self, user: UserRecord) -> Credentials | None:
        if user.id == self.platform_user.id:
            return self._home.credentials
        return self._home.credentials_of(user)

    def _connect(self, who: Credentials) -> PrismClient:
        return self._home.connect(who)

    def _look_up(self, user: str) -> UserRecord | None:
        return self._platform.users.find(user)

    def _member(self, user: str, workspace: str) -> UserRecord:
        return self._home.member(self._platform, user, self._domains[workspace])
