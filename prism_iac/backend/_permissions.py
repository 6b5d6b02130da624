"""Who may do what: one rule for every operation of the API, and the function that decides.

Source: prism-rest.md sections 4.6 and 4.7. Where they are silent: a holder of `manage_role` administers the
workspace (such a member could grant itself everything anyway), whoever may make VMs handles their
certificates, and deleting a computation takes `administrator`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from prism_iac.model import Action, AssetKind, WorkspaceAction

__all__ = ["PROVIDER_ACTIONS", "RULES", "Grants", "Permission", "Reach", "Rule", "allows"]


class Permission(StrEnum):
    """What a caller may do with one computation."""

    VIEW = "view"
    EDIT = "edit"
    RUN = "run"
    STOP = "stop"
    ADMINISTER = "administer"


_GRANTING: Final[dict[Permission, frozenset[Action]]] = {
    Permission.VIEW: frozenset(Action),
    Permission.EDIT: frozenset({Action.EDIT, Action.ADMINISTRATOR}),
    Permission.RUN: frozenset({Action.RUN, Action.ADMINISTRATOR}),
    Permission.STOP: frozenset({Action.RUN, Action.ADMINISTRATOR}),
    Permission.ADMINISTER: frozenset({Action.ADMINISTRATOR}),
}
"""The actions that grant a permission; a workspace administrator has all of them."""

PROVIDER_ACTIONS: Final[dict[AssetKind, Action]] = {
    AssetKind.ALGORITHM: Action.ALGO_PROVIDER,
    AssetKind.DATASET: Action.DATASET_PROVIDER,
}
"""The action without which nobody links an asset of a kind; no other action implies it."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What one caller holds on the things that one request is about.

    Attributes:
        workspace: The actions of the caller's workspace role.
        computation: The actions of the caller's role on the computation.
        is_self: The request is about the caller's own account.
        owns_asset: The request is about an asset that the caller made.
    """

    is_platform_administrator: bool = False
    is_member: bool = False
    workspace: frozenset[WorkspaceAction] = frozenset()
    computation: frozenset[Action] = frozenset()
    is_self: bool = False
    owns_asset: bool = False

    @property
    def administers_workspace(self) -> bool:
        """Whether every computation of the workspace is the caller's to administer."""
        return self.is_platform_administrator or WorkspaceAction.MANAGE_ROLE in self.workspace

    def may(self, permission: Permission) -> bool:
        """Whether the caller has a permission on the computation."""
        return self.administers_workspace or not _GRANTING[permission].isdisjoint(self.computation)


class Reach(Enum):
    """What a rule looks at."""

    PUBLIC = auto()
    SIGNED_IN = auto()
    OWN_ACCOUNT = auto()
    PLATFORM = auto()
    MEMBER = auto()
    WORKSPACE = auto()
    COMPUTATION = auto()
    OWN_ASSET = auto()
    PROVIDER = auto()
    PROVIDER_OR_ASSET_OWNER = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """What an operation takes.

    Attributes:
        action: The workspace action; with `Reach.WORKSPACE` only.
        permission: The permission on the computation; with `Reach.COMPUTATION` only.
    """

    reach: Reach
    action: WorkspaceAction | None = None
    permission: Permission | None = None

    def __str__(self) -> str:
        """What the caller must hold, in words."""
        if self.action is not None:
            return f'the workspace action "{self.action}"'
        if self.permission is not None:
            return f'the permission "{self.permission}" on the computation'
        return _WORDS[self.reach]


_WORDS: Final[dict[Reach, str]] = {
    Reach.PUBLIC: "nothing",
    Reach.SIGNED_IN: "an account",
    Reach.OWN_ACCOUNT: "the account itself, or a platform administrator",
    Reach.PLATFORM: "a platform administrator",
    Reach.MEMBER: "membership of the workspace",
    Reach.OWN_ASSET: "the asset's owner, or a workspace administrator",
    Reach.PROVIDER: "the asset's owner, holding the provider action for its type on the computation",
    Reach.PROVIDER_OR_ASSET_OWNER: "the asset's owner, or the provider action for its type on the computation",
}


def allows(rule: Rule, grants: Grants, *, asset_kind: AssetKind | None = None) -> bool:
    """Whether the grants satisfy the rule.

    Args:
        rule: What the operation takes.
        grants: What the caller holds.
        asset_kind: The kind of the asset that is linked or unlinked; provider rules need it.
    """
    provides = asset_kind is not None and PROVIDER_ACTIONS[asset_kind] in grants.computation
    return {
        Reach.PUBLIC: True,
        Reach.SIGNED_IN: True,
        Reach.OWN_ACCOUNT: grants.is_self or grants.is_platform_administrator,
        Reach.PLATFORM: grants.is_platform_administrator,
        Reach.MEMBER: grants.is_member or grants.is_platform_administrator,
        Reach.WORKSPACE: rule.action in grants.workspace or grants.is_platform_administrator,
        Reach.COMPUTATION: rule.permission is not None and grants.may(rule.permission),
        Reach.OWN_ASSET: grants.owns_asset or grants.administers_workspace,
        Reach.PROVIDER: grants.owns_asset and provides,
        Reach.PROVIDER_OR_ASSET_OWNER: grants.owns_asset or provides,
    }[rule.reach]


def _in_workspace(action: WorkspaceAction) -> Rule:
    return Rule(Reach.WORKSPACE, action=action)


def _on_computation(permission: Permission) -> Rule:
    return Rule(Reach.COMPUTATION, permission=permission)


_PUBLIC: Final = Rule(Reach.PUBLIC)
_SIGNED_IN: Final = Rule(Reach.SIGNED_IN)
_OWN_ACCOUNT: Final = Rule(Reach.OWN_ACCOUNT)
_PLATFORM: Final = Rule(Reach.PLATFORM)
_MEMBER: Final = Rule(Reach.MEMBER)
_OWN_ASSET: Final = Rule(Reach.OWN_ASSET)

RULES: Final[dict[str, Rule]] = {
    "health": _PUBLIC,
    "computations_health": _PUBLIC,
    "users_health": _PUBLIC,
    "ready": _PUBLIC,
    # users and tokens
    "register_user": _PUBLIC,
    "issue_token": _PUBLIC,
    "refresh_token": _PUBLIC,  # the refresh token in its header is the credential
    "list_users": _SIGNED_IN,
    "get_profile": _SIGNED_IN,
    "get_user": _SIGNED_IN,
    "change_secret": _SIGNED_IN,
    "update_user": _OWN_ACCOUNT,
    "disable_user": _OWN_ACCOUNT,
    "enable_user": _PLATFORM,
    # workspaces
    "create_domain": _SIGNED_IN,
    "list_domains": _SIGNED_IN,
    "get_domain": _in_workspace(WorkspaceAction.READ),
    "update_domain": _in_workspace(WorkspaceAction.UPDATE),
    "enable_domain": _in_workspace(WorkspaceAction.ENABLE),
    "disable_domain": _in_workspace(WorkspaceAction.DISABLE),
    "list_members": _in_workspace(WorkspaceAction.VIEW_ROLE_USERS),
    "list_domain_actions": _SIGNED_IN,
    "create_domain_role": _in_workspace(WorkspaceAction.MANAGE_ROLE),
    "list_domain_roles": _MEMBER,
    "get_domain_role": _MEMBER,
    "rename_domain_role": _in_workspace(WorkspaceAction.MANAGE_ROLE),
    "delete_domain_role": _in_workspace(WorkspaceAction.MANAGE_ROLE),
    "add_domain_role_actions": _in_workspace(WorkspaceAction.MANAGE_ROLE),
    "list_domain_role_actions": _MEMBER,
    "delete_domain_role_actions": _in_workspace(WorkspaceAction.MANAGE_ROLE),
    "delete_all_domain_role_actions": _in_workspace(WorkspaceAction.MANAGE_ROLE),
    "add_domain_role_members": _in_workspace(WorkspaceAction.ADD_ROLE_USERS),
    "list_domain_role_members": _in_workspace(WorkspaceAction.VIEW_ROLE_USERS),
    "delete_domain_role_members": _in_workspace(WorkspaceAction.REMOVE_ROLE_USERS),
    "delete_all_domain_role_members": _in_workspace(WorkspaceAction.REMOVE_ROLE_USERS),
    "send_invitation": _in_workspace(WorkspaceAction.ADD_ROLE_USERS),
    "list_domain_invitations": _in_workspace(WorkspaceAction.VIEW_ROLE_USERS),
    "delete_invitation": _in_workspace(WorkspaceAction.REMOVE_ROLE_USERS),
    "list_invitations": _SIGNED_IN,
    "accept_invitation": _SIGNED_IN,
    "reject_invitation": _SIGNED_IN,
    # computations
    "create_computation": _in_workspace(WorkspaceAction.CREATE_COMPUTATION),
    "list_computations": _MEMBER,
    "get_computation": _MEMBER,  # without `peek` it takes the permission "view" (D15)
    "update_computation": _on_computation(Permission.EDIT),
    "delete_computation": _on_computation(Permission.ADMINISTER),
    "run_computation": _on_computation(Permission.RUN),
    "get_latest_run": _on_computation(Permission.VIEW),
    "list_runs": _MEMBER,
    "get_computation_statistics": _MEMBER,
    "upload_key": _on_computation(Permission.VIEW),
    "check_key": _on_computation(Permission.VIEW),
    "dry_run": _on_computation(Permission.VIEW),
    "stop_computation": _on_computation(Permission.STOP),
    "get_manifest": _on_computation(Permission.VIEW),
    "list_events": _on_computation(Permission.VIEW),
    "get_latest_event": _on_computation(Permission.VIEW),
    "list_logs": _on_computation(Permission.VIEW),
    "list_computation_actions": _MEMBER,
    "create_computation_role": _on_computation(Permission.ADMINISTER),
    "list_computation_roles": _on_computation(Permission.VIEW),
    "get_computation_role": _on_computation(Permission.VIEW),
    "rename_computation_role": _on_computation(Permission.ADMINISTER),
    "delete_computation_role": _on_computation(Permission.ADMINISTER),
    "add_computation_role_actions": _on_computation(Permission.ADMINISTER),
    "list_computation_role_actions": _on_computation(Permission.VIEW),
    "delete_computation_role_actions": _on_computation(Permission.ADMINISTER),
    "delete_all_computation_role_actions": _on_computation(Permission.ADMINISTER),
    "add_computation_role_members": _on_computation(Permission.ADMINISTER),
    "list_computation_role_members": _on_computation(Permission.VIEW),
    "delete_computation_role_members": _on_computation(Permission.ADMINISTER),
    "delete_all_computation_role_members": _on_computation(Permission.ADMINISTER),
    # assets
    "create_asset": _MEMBER,
    "list_assets": _MEMBER,
    "get_asset": _MEMBER,
    "update_asset": _OWN_ASSET,
    "delete_asset": _OWN_ASSET,
    "link_asset": Rule(Reach.PROVIDER),
    "list_asset_computations": _MEMBER,
    "unlink_asset": Rule(Reach.PROVIDER_OR_ASSET_OWNER),
    # CVMs and certificates
    "create_cvm": _in_workspace(WorkspaceAction.CREATE_CVMS),
    "list_cvms": _MEMBER,
    "get_cvm": _MEMBER,
    "delete_cvm": _in_workspace(WorkspaceAction.REMOVE_CVMS),
    "get_cvm_statistics": _MEMBER,
    "get_attestation_policy": _MEMBER,
    "issue_certificate": _in_workspace(WorkspaceAction.CREATE_CVMS),
    "renew_certificate": _in_workspace(WorkspaceAction.CREATE_CVMS),
    "revoke_certificate": _in_workspace(WorkspaceAction.REMOVE_CVMS),
    "list_certificates": _MEMBER,
    "delete_certificates": _in_workspace(WorkspaceAction.REMOVE_CVMS),
    "get_download_token": _in_workspace(WorkspaceAction.CREATE_CVMS),
    "download_certificate": _in_workspace(WorkspaceAction.CREATE_CVMS),
    "get_ca_token": _SIGNED_IN,
    "download_ca": _SIGNED_IN,
    "check_certificate_status": _PUBLIC,  # OCSP clients hold no token
}
"""The rule of every operation, by its name; an operation without one cannot be mounted."""
