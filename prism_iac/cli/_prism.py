"""The way from a command to Prism: which one, as whom, in which workspace."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Final, Self

import typer

from prism_iac.cli._lookup import by_name_or_id, choices_of
from prism_iac.errors import Conflict, Finding, InvalidInput, RemoteFailure

if TYPE_CHECKING:
    from prism_iac.prism import (
        ComputationRecord,
        Credentials,
        CvmRecord,
        DomainRecord,
        Embedded,
        Limits,
        PrismClient,
        RunRecord,
        Workspace,
    )

__all__ = ["EMBEDDED", "NOT_RUNNING", "Prism", "the_data_folder"]

EMBEDDED: Final = "embedded"
"""The endpoint that means the backend of this machine."""

NOT_RUNNING: Final = "Start it with `prism-iac backend up`."

Endpoint = Annotated[
    str,
    typer.Option(
        envvar="PRISM_ENDPOINT", metavar="URL", help="Where Prism is; `embedded` is this machine's."
    ),
]
WorkspaceName = Annotated[
    str | None,
    typer.Option(
        "--workspace", envvar="PRISM_WORKSPACE", metavar="NAME", help="Not needed where there is only one."
    ),
]
ActAs = Annotated[
    str | None,
    typer.Option("--as", metavar="USER", help="Act as this user of the embedded backend."),
]


def the_data_folder() -> Path:
    """Where the embedded backend of the current folder keeps its data."""
    from prism_iac.prism import data_folder

    return data_folder(Path.cwd(), os.environ)


@dataclass(frozen=True)
class Prism:
    """One Prism as one user, connected to when it is first asked.

    The embedded backend is called as its administrator, or as the user named by `--as`. Another Prism is
    called with PRISM_TOKEN, or PRISM_USERNAME and PRISM_PASSWORD.
    """

    endpoint: Endpoint = EMBEDDED
    workspace_name: WorkspaceName = None
    acting_as: ActAs = None
    _stack: ExitStack = field(default_factory=ExitStack, init=False, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def is_embedded(self) -> bool:
        """Whether it is the backend of this machine."""
        return self.endpoint == EMBEDDED

    @cached_property
    def embedded(self) -> Embedded | None:
        """The backend of this machine; None for another Prism.

        Raises:
            RemoteFailure: It is not running.
        """
        from prism_iac.prism import find_embedded

        if not self.is_embedded:
            return None
        data = the_data_folder()
        found = find_embedded(data)
        if found is None:
            raise RemoteFailure(
                "the embedded backend is not running",
                where=str(data / "backend"),
                next_step=NOT_RUNNING,
                retry_is_safe=True,
            )
        return self._stack.enter_context(found)

    @property
    def url(self) -> str:
        """The base URL of the REST API."""
        return self.embedded.endpoint if self.embedded else self.endpoint

    @cached_property
    def credentials(self) -> Credentials:
        """Who calls.

        Raises:
            InvalidInput: Nobody is named, or the embedded backend has no such user.
            Conflict: The password of that user is not known here.
        """
        if self.embedded is None:
            if self.acting_as:
                raise typer.BadParameter(
                    "it names a user of the embedded backend; for another Prism set PRISM_TOKEN, "
                    "or PRISM_USERNAME and PRISM_PASSWORD",
                    param_hint="--as",
                )
            return _credentials_from_environment(self.endpoint)
        if not self.acting_as:
            return self.embedded.accounts.admin
        return _credentials_of(self.acting_as, self.embedded)

    @cached_property
    def client(self) -> PrismClient:
        """The client, as that user."""
        return self._stack.enter_context(self.connect())

    def connect(self, limits: Limits | None = None) -> PrismClient:
        """Another client, as that user; the caller closes it."""
        from prism_iac.prism import Limits, PrismClient

        return PrismClient(
            self.url, self.credentials, honours_keys=self.is_embedded, limits=limits or Limits()
        )

    def connect_as(self, who: Credentials) -> PrismClient:
        """A client as another user, closed with this way to Prism."""
        from prism_iac.prism import PrismClient

        client = PrismClient(self.url, who, honours_keys=self.is_embedded)
        return self._stack.enter_context(client)

    @cached_property
    def domain(self) -> DomainRecord:
        """The workspace that is named, or the only one there is."""
        return choose_workspace(self.client, self.workspace_name)

    @cached_property
    def workspace(self) -> Workspace:
        """What lies in the workspace."""
        return self.client.workspace(self.domain.id)

    def computation(self, name: str) -> ComputationRecord:
        """The computation with a name or an id, with everything that the user may see of it."""
        listed = by_name_or_id(self.workspace.computations.list(), name, what="computation")
        return self.workspace.computations.get(listed.id)

    def vm(self, name: str) -> CvmRecord:
        """The VM with a name or an id."""
        return by_name_or_id(self.workspace.cvms.list(), name, what="VM")

    def run_of(self, computation: ComputationRecord) -> RunRecord:
        """The latest run of a computation.

        Raises:
            Conflict: It has none.
        """
        run = self.workspace.computations.latest_run(computation.id)
        if run is None:
            raise Conflict(
                f'the computation "{computation.name}" has not been run',
                next_step=f"Run it with `prism-iac computations run {computation.name} --vm NAME`.",
            )
        return run


def choose_workspace(client: PrismClient, name: str | None) -> DomainRecord:
    """The workspace of a name, alias or id; without a name, the only one that the user belongs to.

    Raises:
        InvalidInput: There is no such workspace, or there are several to choose from.
    """
    if name is not None and (found := client.domains.find(name)) is not None:
        return found
    domains = list(client.domains.list())
    if name is None and len(domains) == 1:
        return domains[0]
    names = [domain.name for domain in domains]
    if name is not None:
        message = f'there is no workspace "{name}" that you belong to'
    elif names:
        message = "there are several workspaces to choose from"
    else:
        message = "you belong to no workspace"
    raise InvalidInput([Finding(path="--workspace", message=message, fix=choices_of(name or "", names))])


def _credentials_from_environment(endpoint: str) -> Credentials:
    from prism_iac.prism import PasswordCredentials, TokenCredentials

    token, username, password = (
        os.environ.get(name, "") for name in ("PRISM_TOKEN", "PRISM_USERNAME", "PRISM_PASSWORD")
    )
    if token:
        return TokenCredentials(token)
    if username and password:
        return PasswordCredentials(username, password)
    raise InvalidInput(
        [
            Finding(
                path="PRISM_TOKEN",
                message=f"there are no credentials for {endpoint}",
                fix="Set PRISM_TOKEN, or PRISM_USERNAME and PRISM_PASSWORD.",
            )
        ]
    )


def _credentials_of(user: str, embedded: Embedded) -> Credentials:
    """The credentials of a user that the embedded backend has; none is made here, a typing mistake least."""
    from prism_iac.prism import PrismClient

    with PrismClient(embedded.endpoint, embedded.accounts.admin) as admin:
        record = admin.users.find(user)
        names = [known.email for known in admin.users.list()] if record is None else []
    if record is None:
        raise InvalidInput(
            [Finding(path="--as", message=f'there is no user "{user}"', fix=choices_of(user, names))]
        )
    return embedded.accounts.ensure_user(record.email)
