"""Where a Prism is, and who may act there: the embedded one or a hosted one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from prism_iac.errors import Conflict, Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.prism import Credentials, DomainRecord, Embedded, PrismClient, UserRecord

__all__ = ["EMBEDDED", "Home", "Settings", "open_home"]

EMBEDDED: Final = "embedded"
"""The endpoint that means the backend of this machine."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where Prism is and who acts there.

    Attributes:
        endpoint: `embedded`, or the URL of a Prism.
        data: The folder of the embedded backend and of local VMs.
        credentials: Those of the platform's user; not needed for the embedded backend.
        participants: Credentials of the users that resources may act for, by user.
        workspace: The workspace of resources that name none.
        control_address: Where agents reach the control stream, `host:port`; known for the embedded backend.
        manager_key: PEM; the key of the certificate that is shown to managers of VMs.
    """

    endpoint: str
    data: Path
    credentials: Credentials | None = None
    participants: dict[str, Credentials] = field(default_factory=dict)
    workspace: str | None = None
    control_address: str | None = None
    manager_key: str | None = field(default=None, repr=False)

    @property
    def is_embedded(self) -> bool:
        """Whether the backend is the one of this machine."""
        return self.endpoint == EMBEDDED


class Home(Protocol):
    """A Prism and the accounts that this deployment may use there."""

    control_address: str | None
    credentials: Credentials

    def connect(self, who: Credentials) -> PrismClient:
        """A client for one user; the caller closes it."""

    def credentials_of(self, user: UserRecord) -> Credentials | None:
        """The credentials of a user; None when there are none to use."""

    def domain(self, client: PrismClient, name: str) -> DomainRecord:
        """A workspace by name, alias or id."""

    def member(self, client: PrismClient, user: str, domain: DomainRecord) -> UserRecord:
        """A user by email address, user name or id, joined to a workspace."""

    def close(self) -> None:
        """End its own connections."""


def open_home(settings: Settings, *, may_start: Callable[[], bool]) -> Home:
    """The home that the settings name.

    Args:
        settings: Where Prism is.
        may_start: Whether an embedded backend that is not running may be started; asked when it matters.

    Raises:
        Conflict: The embedded backend is not running and may not be started.
        InvalidInput: A hosted Prism without credentials.
    """
    from prism_iac.prism import find_embedded, start_embedded

    if not settings.is_embedded:
        return _Hosted(settings)
    embedded = find_embedded(settings.data)
    if embedded is None:
        if not may_start():
            raise Conflict(
                "the embedded backend is not running", next_step="Start it with `prism-iac backend up`."
            )
        embedded = start_embedded(settings.data)
    return _OnThisMachine(embedded)


class _OnThisMachine:
    """The embedded backend: workspaces and accounts that a stack names are made on first use."""

    def __init__(self, embedded: Embedded) -> None:
        self._accounts = embedded.accounts
        self.close = embedded.close
        self._endpoint = embedded.endpoint
        self.control_address: str | None = embedded.control_address
        self.credentials: Credentials = embedded.accounts.admin

    def connect(self, who: Credentials) -> PrismClient:
        from prism_iac.prism import PrismClient

        # One login serves both: a check of a password is slow by design.
        return self._accounts.as_admin() if who == self.credentials else PrismClient(self._endpoint, who)

    def credentials_of(self, user: UserRecord) -> Credentials | None:
        return self._accounts.ensure_user(user.email)

    def domain(self, _client: PrismClient, name: str) -> DomainRecord:
        return self._accounts.ensure_workspace(name)

    def member(self, client: PrismClient, user: str, domain: DomainRecord) -> UserRecord:
        if "@" in user and client.users.find(user) is None:
            self._accounts.ensure_user(user)
        return self._accounts.ensure_member(domain.id, user)


class _Hosted:
    """A Prism that others run: workspaces, accounts and memberships must exist."""

    def __init__(self, settings: Settings) -> None:
        if settings.credentials is None:
            raise _invalid(
                "prism:token",
                f"no credentials are configured for {settings.endpoint}",
                "Run `pulumi config set --secret prism:token ...`, or set prism:username and prism:password.",
            )
        self._participants = settings.participants
        self._endpoint = settings.endpoint
        self.control_address = settings.control_address
        self.credentials = settings.credentials

    def connect(self, who: Credentials) -> PrismClient:
        from prism_iac.prism import PrismClient

        return PrismClient(self._endpoint, who, honours_keys=False)

    def credentials_of(self, user: UserRecord) -> Credentials | None:
        names = (user.email, user.username, user.id)
        return next((self._participants[name] for name in names if name in self._participants), None)

    def domain(self, client: PrismClient, name: str) -> DomainRecord:
        found = client.domains.find(name)
        if found is None:
            raise _invalid(
                "workspace", f'there is no workspace "{name}" to see', "Check the name, or ask to be invited."
            )
        return found

    def member(self, client: PrismClient, user: str, _domain: DomainRecord) -> UserRecord:
        found = client.users.find(user)
        if found is None:
            raise _invalid(
                "",
                f'Prism knows no user "{user}"',
                "Check the spelling, or ask them to register and to join the workspace.",
            )
        return found

    def close(self) -> None:
        pass


def _invalid(path: str, message: str, fix: str) -> InvalidInput:
    return InvalidInput([Finding(path=path, message=message, fix=fix)])
