"""Users and workspaces of the embedded backend, made on first use and through the REST API alone."""

from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path
from typing import Final

from prism_iac.errors import Conflict, Finding, InvalidInput
from prism_iac.model import WorkspaceAction
from prism_iac.prism._client import PrismClient
from prism_iac.prism._credentials import PasswordCredentials, is_bearer_token
from prism_iac.prism._errors import AlreadyExists, ApiConflict, Unauthenticated
from prism_iac.prism._fields import Fields
from prism_iac.prism._json import Malformed, decode
from prism_iac.prism._passwords import PasswordFile
from prism_iac.prism.records import DomainRecord, UserRecord

__all__ = ["Accounts", "workspace_alias"]

_MEMBER_ROLE: Final = "participant"
_MEMBER_ACTIONS: Final = (WorkspaceAction.READ,)
_ALIAS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LONGEST_SLUG: Final = 40


class Accounts:
    """The accounts of one embedded backend; safe for use from many threads and processes.

    Args:
        folder: The backend's own folder.
        endpoint: The base URL of its REST API.
    """

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._passwords = PasswordFile(folder / "credentials.json")
        self._lock = threading.Lock()
        self._client: PrismClient | None = None
        self._ensured: dict[str, PasswordCredentials] = {}
        self._user_locks: dict[str, threading.Lock] = {}

    @property
    def admin(self) -> PasswordCredentials:
        """The administrator that the backend made at its first start.

        Raises:
            Conflict: The backend has left no administrator.
        """
        path = self._folder / "admin.json"
        try:
            fields = Fields(decode(path.read_bytes()), "the administrator's file")
            return PasswordCredentials(
                fields.identity("username"), fields.identity("password"), self._ready_token()
            )
        except (OSError, Malformed) as error:
            raise Conflict(
                "the administrator of the embedded backend is not known",
                where=str(path),
                next_step="Start the backend with `prism-iac backend up`; it writes the file at its first start.",
            ) from error

    def _ready_token(self) -> str | None:
        """The token that a running backend keeps for its administrator; None where there is none."""
        try:
            token = (self._folder / "admin.token").read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return token if is_bearer_token(token) else None

    def ensure_user(self, email: str) -> PasswordCredentials:
        """The credentials of a user; the account is made when there is none.

        The password is kept before the account is made, so that a cut between the two loses nothing.

        Raises:
            InvalidInput: It is no email address.
            Conflict: The account was made by somebody else, and its password is not known here.
        """
        user = email.lower()
        with self._lock:
            lock = self._user_locks.setdefault(user, threading.Lock())
        # One look for all threads: a check of a password is slow, and too many at once are refused.
        with lock:
            if user not in self._ensured:
                self._ensured[user] = self._registered(user)
            return self._ensured[user]

    def ensure_workspace(self, name: str) -> DomainRecord:
        """A workspace by name, alias or id; made under that name when there is none.

        The alias follows from the name and is unique, so that two who make it at once make one.

        Raises:
            Conflict: The name stands for several workspaces.
        """
        domains = self.as_admin().domains
        found = domains.find(name)
        if found is not None:
            return found
        try:
            return domains.create(name=name, alias=workspace_alias(name))
        except AlreadyExists:
            # Somebody else made it at the same moment.
            found = domains.find(name)
            if found is None:
                raise
            return found

    def ensure_member(self, domain_id: str, user: str) -> UserRecord:
        """A user by email address, user name or id, joined to a workspace when that is still to be done.

        Raises:
            InvalidInput: There is no such user.
        """
        record = self._find_user(user)
        if not self._is_member(domain_id, record.id):
            try:
                roles = self.as_admin().domains.roles
                roles.add_members(domain_id, self._member_role(domain_id), [record.id])
            except ApiConflict:
                if not self._is_member(domain_id, record.id):
                    raise
        return record

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def as_admin(self) -> PrismClient:
        """The client of the administrator; closed with the accounts."""
        with self._lock:
            if self._client is None:
                self._client = PrismClient(self._endpoint, self.admin)
            return self._client

    def _registered(self, email: str) -> PasswordCredentials:
        local, at, _ = email.partition("@")
        if not (local and at):
            raise InvalidInput(
                [
                    Finding(
                        path="user",
                        message=f'no account is made for "{email}": it is no email address',
                        fix="Name the user by email address.",
                    )
                ]
            )
        kept = self._passwords.find(email)
        if kept is not None and self._opens(PasswordCredentials(email, kept)):
            return PasswordCredentials(email, kept)
        credentials = PasswordCredentials(email, self._passwords.of(email))
        try:
            self.as_admin().users.register(
                email=email,
                username=email,
                password=credentials.password,
                first_name=local,
                last_name="",
            )
        except AlreadyExists as error:
            # Made at the same moment with the same password, or by somebody else.
            if not self._opens(credentials):
                self._passwords.forget(email, credentials.password)
                raise Conflict(
                    f"the account {email} exists, and its password is not known here",
                    where=self._endpoint,
                    next_step="Give that user's credentials in the provider's configuration.",
                ) from error
        return credentials

    def _opens(self, credentials: PasswordCredentials) -> bool:
        try:
            with PrismClient(self._endpoint, credentials) as client:
                client.users.profile()
        except Unauthenticated:
            return False
        return True

    def _find_user(self, user: str) -> UserRecord:
        users = self.as_admin().users
        found = users.find(user)
        if found is None:
            raise InvalidInput(
                [Finding(path="user", message=f'there is no user "{user}"', fix="Register the user first.")]
            )
        return found

    def _is_member(self, domain_id: str, user_id: str) -> bool:
        return any(member.id == user_id for member in self.as_admin().domains.members(domain_id))

    def _member_role(self, domain_id: str) -> str:
        """The id of the role that lets a user in and no more."""
        roles = self.as_admin().domains.roles
        try:
            return roles.find(domain_id, _MEMBER_ROLE) or roles.create(
                domain_id, name=_MEMBER_ROLE, actions=_MEMBER_ACTIONS
            )
        except AlreadyExists:
            found = roles.find(domain_id, _MEMBER_ROLE)
            if found is None:
                raise
            return found


def workspace_alias(name: str) -> str:
    """The alias that a workspace of a name is made under; no other name leads to it."""
    if _ALIAS.fullmatch(name):
        return name
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:_LONGEST_SLUG]
    return f"{slug or 'workspace'}-{hashlib.sha3_256(name.encode()).hexdigest()[:8]}"
