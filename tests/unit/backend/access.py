"""Who may do what, as prism-rest.md says it in sections 4.6 and 4.7: one table of every operation.

The table is written from the contract, not from the code that it is held against.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from httpx import Response

from prism_iac.backend._guard import GuardedRoute
from prism_iac.model import COMPUTATION_ROLES
from tests.unit.backend.support import A_SHA3, Person, Prism, Workspace, public_pem, the_api

ROUTES: Final = {route.name: route for route in the_api().routes if isinstance(route, GuardedRoute)}

MEMBERS: Final = (
    "member",
    "viewer",
    "editor",
    "runner",
    "algo_provider",
    "dataset_provider",
    "result_consumer",
    "owner",
    "workspace_admin",
)
"""Everybody in the workspace: one without actions, one with each built-in role, and its administrator."""

EVERYBODY: Final = frozenset({"outsider", *MEMBERS, "platform_admin"})
INSIDE: Final = EVERYBODY - {"outsider"}
ADMINS: Final = frozenset({"workspace_admin", "platform_admin"})
VIEWERS: Final = INSIDE - {"member"}

ACCESS: Final[dict[str, frozenset[str]]] = {
    # anybody with an account
    **dict.fromkeys(
        (
            "list_users",
            "get_profile",
            "get_user",
            "change_secret",
            "create_domain",
            "list_domains",
            "list_domain_actions",
            "list_invitations",
            "accept_invitation",
            "reject_invitation",
            "get_ca_token",
            "download_ca",
        ),
        EVERYBODY,
    ),
    # the account in question is the outsider's
    **dict.fromkeys(("update_user", "disable_user"), frozenset({"outsider", "platform_admin"})),
    "enable_user": frozenset({"platform_admin"}),
    # anybody in the workspace
    **dict.fromkeys(
        (
            "list_domain_roles",
            "get_domain_role",
            "list_domain_role_actions",
            "list_computations",
            "get_computation",
            "list_runs",
            "get_computation_statistics",
            "list_computation_actions",
            "create_asset",
            "list_assets",
            "get_asset",
            "list_asset_computations",
            "list_cvms",
            "get_cvm",
            "get_cvm_statistics",
            "get_attestation_policy",
            "list_certificates",
        ),
        INSIDE,
    ),
    # whoever administers the workspace
    **dict.fromkeys(
        (
            "get_domain",
            "update_domain",
            "enable_domain",
            "disable_domain",
            "list_members",
            "create_domain_role",
            "rename_domain_role",
            "delete_domain_role",
            "add_domain_role_actions",
            "delete_domain_role_actions",
            "delete_all_domain_role_actions",
            "add_domain_role_members",
            "list_domain_role_members",
            "delete_domain_role_members",
            "delete_all_domain_role_members",
            "send_invitation",
            "list_domain_invitations",
            "delete_invitation",
            "create_computation",
            "create_cvm",
            "delete_cvm",
            "issue_certificate",
            "renew_certificate",
            "revoke_certificate",
            "delete_certificates",
            "get_download_token",
            "download_certificate",
        ),
        ADMINS,
    ),
    # whoever holds some action on the computation
    **dict.fromkeys(
        (
            "get_latest_run",
            "upload_key",
            "check_key",
            "dry_run",
            "get_manifest",
            "list_events",
            "get_latest_event",
            "list_logs",
            "list_computation_roles",
            "get_computation_role",
            "list_computation_role_actions",
            "list_computation_role_members",
        ),
        VIEWERS,
    ),
    "update_computation": ADMINS | {"owner", "editor"},
    **dict.fromkeys(("run_computation", "stop_computation"), ADMINS | {"owner", "runner"}),
    **dict.fromkeys(
        (
            "delete_computation",
            "create_computation_role",
            "rename_computation_role",
            "delete_computation_role",
            "add_computation_role_actions",
            "delete_computation_role_actions",
            "delete_all_computation_role_actions",
            "add_computation_role_members",
            "delete_computation_role_members",
            "delete_all_computation_role_members",
        ),
        ADMINS | {"owner"},
    ),
    # the asset in question is a dataset of the dataset provider's
    **dict.fromkeys(("update_asset", "delete_asset"), ADMINS | {"dataset_provider"}),
    "link_asset": frozenset({"dataset_provider"}),
    "unlink_asset": frozenset({"dataset_provider"}),
}

PUBLIC: Final = frozenset(
    {
        *("health", "computations_health", "users_health", "ready"),
        *("register_user", "issue_token", "refresh_token", "check_certificate_status"),
    }
)
"""What takes no token: the table has no line for it."""

QUERIES: Final = {
    "get_computation": {"peek": "true"},
    "run_computation": {"cvm": "{cvm_id}"},
    "delete_certificates": {"entity_id": "{entity_id}"},
}

BODIES: Final[dict[str, Any]] = {
    "change_secret": {"old_secret": "12345678", "new_secret": "12345678"},
    "create_domain": {"name": "x"},
    "accept_invitation": {"domain_id": "{domain_id}"},
    "reject_invitation": {"domain_id": "{domain_id}"},
    "update_user": {},
    "update_domain": {},
    "create_domain_role": {"role_name": "x"},
    "rename_domain_role": {"name": "x"},
    "add_domain_role_actions": {"actions": []},
    "delete_domain_role_actions": {"actions": []},
    "add_domain_role_members": {"members": []},
    "delete_domain_role_members": {"members": []},
    "send_invitation": {"invitee_user_id": "{user_id}", "role_id": "{role_id}"},
    "delete_invitation": {"user_id": "{user_id}"},
    "create_computation": {"name": "x", "description": "x"},
    "update_computation": {"name": "x", "description": "x"},
    "upload_key": {"key": public_pem()},
    "create_computation_role": {"role_name": "x"},
    "rename_computation_role": {"name": "x"},
    "add_computation_role_actions": {"actions": []},
    "delete_computation_role_actions": {"actions": []},
    "add_computation_role_members": {"members": []},
    "delete_computation_role_members": {"members": []},
    "create_asset": {"description": "x", "asset_type": "dataset", "checksum": A_SHA3},
    "update_asset": {"description": "x", "asset_type": "dataset"},
    "create_cvm": {"name": "x"},
}


@dataclass
class World:
    """Two workspaces, and one person of each kind in the first.

    Attributes:
        own: What lies in the first workspace, by the names that paths have for it.
        others: The same in the second, of which only a stranger and platform administrators are.
        unknown: What lies nowhere.
    """

    prism: Prism
    people: dict[str, Person]
    own: dict[str, str]
    others: dict[str, str]
    unknown: dict[str, str]

    def call(self, operation: str, token: str | None, path: dict[str, str] | None = None) -> Response:
        """Ask for an operation; the path is one of the world's, or a mixture of them."""
        route = ROUTES[operation]
        names = path or self.own
        if "computation_id" in route.path:
            names = names | {"role_id": names["computation_role_id"]}
        headers = {} if token is None else {"Authorization": token}
        return self.prism.client.request(
            route.mounted.method,
            route.path.format(**names),
            headers=headers,
            json=_filled(BODIES.get(operation), names),
            params=_filled(QUERIES.get(operation), names),
        )

    def bearer(self, name: str) -> str:
        """What a person sends for a token."""
        return f"Bearer {self.people[name].token}"


def make_world(prism: Prism) -> World:
    """Everybody and everything, in an instance."""
    people = {
        name: prism.person(name, is_platform_administrator=name == "platform_admin")
        for name in sorted(EVERYBODY)
    }
    lab = prism.workspace(people["workspace_admin"])
    for name in MEMBERS:
        if name != "workspace_admin":
            lab.join(people[name])
    own = _things(lab, people["dataset_provider"])
    for name in MEMBERS:
        if name in COMPUTATION_ROLES:
            role = "second owner" if name == "owner" else name
            lab.role(own["computation_id"], people[name], *COMPUTATION_ROLES[name], name=role)
    stranger = prism.person("stranger")
    others = _things(prism.workspace(stranger, "others"), stranger)
    user = {"user_id": people["outsider"].id}
    words = {"provider": "external", "vcpu": "2", "cc_platform": "sev-snp", "entity_type": "cvm"}
    unknown = {name: str(uuid4()) for name in own} | {"serial_number": "1" * len(own["serial_number"])}
    return World(prism, people, *({**things, **words, **user} for things in (own, others, unknown)))


def names_of(operation: str) -> set[str]:
    """What of a world a request for an operation names."""
    route = ROUTES[operation]
    texts = [route.path, *BODIES.get(operation, {}).values(), *QUERIES.get(operation, {}).values()]
    names = {name for text in texts if isinstance(text, str) for name in re.findall(r"{(\w+)}", text)}
    if {"computation_id", "role_id"} <= names:
        names = names - {"role_id"} | {"computation_role_id"}
    return names


def _things(workspace: Workspace, provider: Person) -> dict[str, str]:
    """One thing of each kind in a workspace, by the names that paths have for it."""
    owner = workspace.owner
    computation, cvm = workspace.computation(), workspace.cvm()
    roles = {
        name: owner.ok("GET", f"{path}/roles")["roles"][0]["id"]
        for name, path in (
            ("role_id", workspace.domain),
            ("computation_role_id", f"{workspace.computations}/{computation}"),
        )
    }
    serial = owner.ok("GET", workspace.certs)["certificates"][0]["serial_number"]
    return {
        "domain_id": workspace.id,
        "computation_id": computation,
        "asset_id": workspace.asset(provider),
        "cvm_id": cvm,
        "entity_id": cvm,
        "serial_number": serial,
        "serial_or_entity": serial,
        **roles,
    }


def _filled(template: Any, names: Mapping[str, str]) -> Any:
    """A body or a query with ids in the places of their names."""
    if template is None:
        return None
    return {
        key: value.format(**names) if isinstance(value, str) else value for key, value in template.items()
    }
