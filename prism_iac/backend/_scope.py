"""What an operation works with once its caller was let in, and the function that lets in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from prism_iac.backend._errors import Forbidden, Malformed, Missing, Unauthenticated
from prism_iac.backend._permissions import Grants, Permission, Rule, allows
from prism_iac.backend._services import Services
from prism_iac.backend._tokens import Claims
from prism_iac.backend.store import admission, assets, computations, notices, users
from prism_iac.backend.store.admission import Admission
from prism_iac.backend.store.assets import Asset
from prism_iac.backend.store.computations import Computation
from prism_iac.backend.store.notices import Notice
from prism_iac.backend.store.users import User
from prism_iac.backend.store.workspaces import Workspace
from prism_iac.model import Action, AssetKind, WorkspaceAction

__all__ = [
    "Answer",
    "AssetScope",
    "ComputationScope",
    "Entry",
    "LinkScope",
    "Scope",
    "UserScope",
    "WorkspaceScope",
    "admit",
]

_OPEN_WHILE_DISABLED: Final = frozenset({"get_domain", "enable_domain", "disable_domain"})
"""The operations that a disabled workspace still allows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a request brings.

    Attributes:
        operation: The operation's name.
        claims: Of the caller's token; None for public operations.
        path: The values of the path's parameters.
        domain_query: The query parameter `domainID`, which must agree with the path (D1).
    """

    operation: str
    services: Services
    claims: Claims | None
    path: Mapping[str, str]
    domain_query: str | None = None


@dataclass(slots=True)
class Answer:
    """What an operation adds to its answer, besides its result.

    Attributes:
        after_commit: What to do once the changes are safe.
    """

    headers: dict[str, str] = field(default_factory=dict)
    after_commit: list[Callable[[], None]] = field(default_factory=list)


@dataclass(slots=True)
class Scope:
    """What a public operation works with; `session` is a transaction of its own."""

    session: Session
    services: Services
    now: datetime
    answer: Answer

    def tell_agents(self, notice: Notice) -> None:
        """Have every replica that holds an agent's stream act on a change, once it is safe."""
        notices.tell(self.session, notice)
        self.answer.after_commit.append(lambda: self.services.agents.heed(notice))


@dataclass(slots=True)
class UserScope(Scope):
    """What an operation of a signed-in user works with."""

    caller: User
    claims: Claims
    grants: Grants


@dataclass(slots=True)
class WorkspaceScope(UserScope):
    """What an operation in a workspace works with.

    Attributes:
        idempotency_key: The one that a create is made under, where there is one.
    """

    workspace: Workspace
    idempotency_key: str | None = field(default=None, kw_only=True)


@dataclass(slots=True)
class ComputationScope(WorkspaceScope):
    """What an operation on a computation works with."""

    computation: Computation

    def require(self, permission: Permission) -> None:
        """Raise `Forbidden` unless the caller has the permission."""
        if not self.grants.may(permission):
            raise _forbidden(f'the permission "{permission}" on the computation')


@dataclass(slots=True)
class AssetScope(WorkspaceScope):
    """What an operation on an asset works with."""

    asset: Asset


@dataclass(slots=True)
class LinkScope(ComputationScope):
    """What an operation on an asset's link to a computation works with."""

    asset: Asset


AnyScope = TypeVar("AnyScope", bound=Scope)


def admit(scope_type: type[AnyScope], rule: Rule, entry: Entry, session: Session) -> AnyScope:
    """Look up what the request is about, and let the caller in where the rule allows it.

    Raises:
        Unauthenticated: The caller's account is gone, disabled, or has ended its sessions.
        Missing: The workspace, the computation or the asset is not there for this caller.
        Malformed: The query names another workspace than the path.
        Forbidden: The rule does not allow it.
    """
    found: dict[str, Any] = {
        "session": session,
        "services": entry.services,
        "now": entry.services.clock(),
        "answer": Answer(),
    }
    if not issubclass(scope_type, UserScope):
        return scope_type(**found)
    claims = _claims(entry)
    found["claims"] = claims
    asset_kind = None
    if not issubclass(scope_type, WorkspaceScope):
        caller = _welcome(users.find(session, claims.user_id), claims)
        grants = _own_grants(caller, entry)
    else:
        known = _look_up(session, entry, claims)
        caller = _welcome(known.caller, claims)
        workspace, grants = _enter_workspace(known, entry, _own_grants(caller, entry))
        found["workspace"] = workspace
        if issubclass(scope_type, ComputationScope):
            found["computation"] = _computation(session, workspace, entry.path["computation_id"])
        if issubclass(scope_type, AssetScope | LinkScope):
            asset = _asset(session, workspace, entry.path["asset_id"])
            found["asset"] = asset
            asset_kind = AssetKind(asset.asset_type)
            grants = replace(grants, owns_asset=asset.user_id == caller.id)
    if not allows(rule, grants, asset_kind=asset_kind):
        raise _forbidden(str(rule))
    return scope_type(**found, caller=caller, grants=grants)


def _claims(entry: Entry) -> Claims:
    assert entry.claims is not None, "an operation of signed-in users is mounted without authentication"
    return entry.claims


def _welcome(caller: User | None, claims: Claims) -> User:
    if caller is None or not caller.enabled or claims.issued_at < caller.sessions_from:
        raise Unauthenticated("the session has ended", next_step="Log in again.")
    return caller


def _own_grants(caller: User, entry: Entry) -> Grants:
    return Grants(
        is_platform_administrator=caller.is_platform_administrator,
        is_self=entry.path.get("user_id") == caller.id,
    )


def _look_up(session: Session, entry: Entry, claims: Claims) -> Admission:
    return admission.look_up(
        session,
        user_id=claims.user_id,
        workspace=entry.path["domain_id"],
        computation_id=entry.path.get("computation_id", ""),
    )


def _enter_workspace(known: Admission, entry: Entry, grants: Grants) -> tuple[Workspace, Grants]:
    named = entry.path["domain_id"]
    workspace, held = known.workspace, known.held
    if workspace is None:
        raise _no_workspace(named)
    grants = replace(
        grants,
        is_member=workspace.id in held,
        workspace=frozenset(map(WorkspaceAction, held.get(workspace.id, ()))),
        computation=frozenset(map(Action, held.get(entry.path.get("computation_id", ""), ()))),
    )
    if not grants.is_member and not grants.is_platform_administrator:
        raise _no_workspace(named)
    if entry.domain_query not in (None, named, workspace.id, workspace.alias):
        raise Malformed(
            f'the query names the workspace "{entry.domain_query}", the path "{named}"',
            next_step="Leave the query parameter domainID out, or repeat the path's value.",
        )
    if not workspace.enabled and entry.operation not in _OPEN_WHILE_DISABLED:
        raise Forbidden(f'the workspace "{workspace.name}" is disabled', next_step="Enable it first.")
    return workspace, grants


def _computation(session: Session, workspace: Workspace, computation_id: str) -> Computation:
    found = computations.find(session, workspace.id, computation_id)
    if found is None:
        raise Missing(f'there is no computation "{computation_id}" in this workspace')
    return found


def _asset(session: Session, workspace: Workspace, asset_id: str) -> Asset:
    found = assets.find(session, workspace.id, asset_id)
    if found is None:
        raise Missing(f'there is no asset "{asset_id}" in this workspace')
    return found


def _no_workspace(named: str) -> Missing:
    return Missing(
        f'there is no workspace "{named}"',
        next_step="Check the id or alias; only members find a workspace.",
    )


def _forbidden(needed: str) -> Forbidden:
    return Forbidden(
        f"this takes {needed}", next_step="Ask an administrator of the workspace or computation for a role."
    )
