"""Who is let in where: the function that decides, and what the table of operations does not say."""

from __future__ import annotations

from typing import Final

import pytest

from prism_iac.backend._errors import Forbidden, Missing
from prism_iac.backend._permissions import RULES, Grants, Reach, allows
from prism_iac.backend._scope import Entry, admit
from prism_iac.backend._tokens import TokenKind
from prism_iac.model import WorkspaceAction
from tests.unit.backend.access import ACCESS, ROUTES, World, make_world
from tests.unit.backend.support import Prism, Workspace

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


@pytest.fixture
def world(prism: Prism) -> World:
    return make_world(prism)


def test_each_person_is_let_in_exactly_where_the_table_says(world: World) -> None:
    with world.prism.database.reading() as session:
        admitted: dict[str, set[str]] = {name: set() for name in ACCESS}
        for operation in ACCESS:
            route = ROUTES[operation].mounted.operation
            for name, person in world.people.items():
                claims = world.prism.services.tokens.verify(person.token, TokenKind.ACCESS)
                entry = Entry(operation, world.prism.services, claims, world.own)
                try:
                    admit(route.scope_type, route.rule, entry, session)
                except (Forbidden, Missing):
                    continue
                admitted[operation].add(name)
    assert admitted == {operation: set(people) for operation, people in ACCESS.items()}


@pytest.mark.parametrize("action", WorkspaceAction)
def test_an_action_of_the_workspace_opens_its_own_operations_alone(action: WorkspaceAction) -> None:
    grants = Grants(is_member=True, workspace=frozenset({action}))
    opened = {name for name, rule in RULES.items() if rule.reach is Reach.WORKSPACE and allows(rule, grants)}
    assert opened == TAKES[action]
    # Whoever can grant itself everything administers every computation too.
    assert grants.administers_workspace is (action is WorkspaceAction.MANAGE_ROLE)


def test_a_computation_without_peek_takes_view_which_mere_members_lack(world: World) -> None:
    path = ROUTES["get_computation"].path.format(**world.own)
    member = world.people["member"]
    assert member.get(path).status_code == 403
    assert member.get(path, params={"peek": "true"}).status_code == 200
    assert world.people["viewer"].get(path).status_code == 200


def test_somebody_elses_dataset_cannot_be_linked_even_by_a_provider(world: World) -> None:
    lab = Workspace(world.people["workspace_admin"], world.own["domain_id"])
    foreign = lab.asset(world.people["member"])
    path = f"{lab.assets}/{foreign}/{world.own['computation_id']}"
    assert world.people["dataset_provider"].post(path).status_code == 403


def test_a_disabled_workspace_is_open_for_reading_and_enabling_it_only(world: World) -> None:
    admin = world.people["workspace_admin"]
    lab = Workspace(admin, world.own["domain_id"])
    admin.ok("POST", f"{lab.domain}/disable")
    assert admin.get(lab.computations).status_code == 403
    assert admin.ok("GET", lab.domain)["status"] == "disabled"
    admin.ok("POST", f"{lab.domain}/enable")
    assert admin.get(lab.computations).status_code == 200
