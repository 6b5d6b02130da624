"""Who may do what: the whole table of operations, asked for every kind of person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pytest

from prism_iac.backend._errors import Forbidden, Missing
from prism_iac.backend._guard import GuardedRoute
from prism_iac.backend._permissions import RULES, Grants, Reach, allows
from prism_iac.backend._scope import Entry, admit
from prism_iac.backend._tokens import TokenKind
from prism_iac.model import COMPUTATION_ROLES, WorkspaceAction
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

EXPECTED: Final[dict[str, frozenset[str]]] = {
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

TAKES: Final[dict[WorkspaceAction, frozenset[str]]] = {
    WorkspaceAction.READ: frozenset({"get_domain"}),
    WorkspaceAction.UPDATE: frozenset({"update_domain"}),
    WorkspaceAction.DELETE: frozenset(),
    WorkspaceAction.ENABLE: frozenset({"enable_domain"}),
    WorkspaceAction.DISABLE: frozenset({"disable_domain"}),
    WorkspaceAction.VIEW_ROLE_USERS: frozenset(
        {"list_members", "list_domain_role_members", "list_domain_invitations"}
    ),
    WorkspaceAction.ADD_ROLE_USERS: frozenset({"add_domain_role_members", "send_invitation"}),
    WorkspaceAction.REMOVE_ROLE_USERS: frozenset(
        {"delete_domain_role_members", "delete_all_domain_role_members", "delete_invitation"}
    ),
    WorkspaceAction.MANAGE_ROLE: frozenset(
        {
            "create_domain_role",
            "rename_domain_role",
            "delete_domain_role",
            "add_domain_role_actions",
            "delete_domain_role_actions",
            "delete_all_domain_role_actions",
        }
    ),
    WorkspaceAction.CREATE_COMPUTATION: frozenset({"create_computation"}),
    WorkspaceAction.CREATE_CVMS: frozenset(
        {
            "create_cvm",
            "issue_certificate",
            "renew_certificate",
            "get_download_token",
            "download_certificate",
        }
    ),
    WorkspaceAction.REMOVE_CVMS: frozenset({"delete_cvm", "revoke_certificate", "delete_certificates"}),
}
"""What each action of a workspace opens, alone."""

BODIES: Final[dict[str, Any]] = {
    "change_secret": {"old_secret": "12345678", "new_secret": "12345678"},
    "create_domain": {"name": "x"},
    "accept_invitation": {"domain_id": "x"},
    "reject_invitation": {"domain_id": "x"},
    "update_user": {},
    "update_domain": {},
    "create_domain_role": {"role_name": "x"},
    "rename_domain_role": {"name": "x"},
    "add_domain_role_actions": {"actions": []},
    "delete_domain_role_actions": {"actions": []},
    "add_domain_role_members": {"members": []},
    "delete_domain_role_members": {"members": []},
    "send_invitation": {"invitee_user_id": "x", "role_id": "x"},
    "delete_invitation": {"user_id": "x"},
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
    """A workspace with one person of each kind, and a computation to ask about."""

    prism: Prism
    people: dict[str, Person]
    path: dict[str, str]


@pytest.fixture
def world(prism: Prism) -> World:
    people = {name: prism.person(name) for name in EVERYBODY - {"platform_admin"}}
    people["platform_admin"] = prism.person("platform_admin", is_platform_administrator=True)
    lab = prism.workspace(people["workspace_admin"])
    for name in MEMBERS:
        if name != "workspace_admin":
            lab.join(people[name])
    computation = lab.computation()
    for name in MEMBERS:
        if name in COMPUTATION_ROLES:
            role = "second owner" if name == "owner" else name
            lab.role(computation, people[name], *COMPUTATION_ROLES[name], name=role)
    path = {
        "domain_id": lab.id,
        "computation_id": computation,
        "asset_id": lab.asset(people["dataset_provider"]),
        "user_id": people["outsider"].id,
    }
    path |= {"role_id": "r", "cvm_id": "v", "provider": "external", "vcpu": "2", "cc_platform": "sev-snp"}
    path |= {"entity_type": "cvm", "entity_id": "v", "serial_number": "1", "serial_or_entity": "1"}
    return World(prism, people, path)


def test_every_operation_has_an_expectation() -> None:
    public = {name for name, rule in RULES.items() if rule.reach is Reach.PUBLIC}
    assert EXPECTED.keys() | public == RULES.keys()
    assert not EXPECTED.keys() & public


def test_each_person_is_let_in_exactly_where_the_table_says(world: World) -> None:
    with world.prism.database.reading() as session:
        admitted: dict[str, set[str]] = {name: set() for name in EXPECTED}
        for operation in EXPECTED:
            route = ROUTES[operation].mounted.operation
            for name, person in world.people.items():
                claims = world.prism.services.tokens.verify(person.token, TokenKind.ACCESS)
                entry = Entry(operation, world.prism.services, claims, world.path)
                try:
                    admit(route.scope_type, route.rule, entry, session)
                except (Forbidden, Missing):
                    continue
                admitted[operation].add(name)
    assert admitted == {operation: set(people) for operation, people in EXPECTED.items()}


@pytest.mark.parametrize("action", WorkspaceAction)
def test_an_action_of_the_workspace_opens_its_own_operations_alone(action: WorkspaceAction) -> None:
    grants = Grants(is_member=True, workspace=frozenset({action}))
    opened = {name for name, rule in RULES.items() if rule.reach is Reach.WORKSPACE and allows(rule, grants)}
    assert opened == TAKES[action]
    # Whoever can grant itself everything administers every computation too.
    assert grants.administers_workspace is (action is WorkspaceAction.MANAGE_ROLE)


def test_whoever_is_not_let_in_is_refused_over_http(world: World) -> None:
    for operation, allowed in EXPECTED.items():
        for name in EVERYBODY - allowed:
            response = _call(world, operation, world.people[name])
            is_hidden = name == "outsider" and "{domain_id}" in ROUTES[operation].path
            assert response.status_code == (404 if is_hidden else 403), f"{operation} by {name}"
            assert response.json().keys() == {"error", "message"}


def test_nobody_without_a_token_gets_past_a_route_that_is_not_public(world: World) -> None:
    for operation in EXPECTED:
        response = _call(world, operation, None)
        assert response.status_code == 401, operation
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_computation_without_peek_takes_view_which_mere_members_lack(world: World) -> None:
    path = ROUTES["get_computation"].path.format(**world.path)
    member = world.people["member"]
    assert member.get(path).status_code == 403
    assert member.get(path, params={"peek": "true"}).status_code == 200
    assert world.people["viewer"].get(path).status_code == 200


def test_somebody_elses_dataset_cannot_be_linked_even_by_a_provider(world: World) -> None:
    lab = Workspace(world.people["workspace_admin"], world.path["domain_id"])
    foreign = lab.asset(world.people["member"])
    path = f"{lab.assets}/{foreign}/{world.path['computation_id']}"
    assert world.people["dataset_provider"].post(path).status_code == 403


def test_a_disabled_workspace_is_open_for_reading_and_enabling_it_only(world: World) -> None:
    admin = world.people["workspace_admin"]
    lab = Workspace(admin, world.path["domain_id"])
    admin.ok("POST", f"{lab.domain}/disable")
    assert admin.get(lab.computations).status_code == 403
    assert admin.ok("GET", lab.domain)["status"] == "disabled"
    admin.ok("POST", f"{lab.domain}/enable")
    assert admin.get(lab.computations).status_code == 200


def _call(world: World, operation: str, person: Person | None) -> Any:
    route = ROUTES[operation]
    method = route.mounted.method
    path = route.path.format(**world.path)
    arguments: dict[str, Any] = {"json": BODIES[operation]} if operation in BODIES else {}
    if operation == "run_computation":
        arguments["params"] = {"cvm": "v"}
    if operation == "delete_certificates":
        arguments["params"] = {"entity_id": "v"}
    if person is None:
        return world.prism.client.request(method, path, **arguments)
    return person.call(method, path, **arguments)
