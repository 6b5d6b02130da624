"""Decisions D9 to D12, D49 to D53 and D62: users, workspaces, roles and invitations."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from prism_iac.backend._errors import TooManyAttempts
from prism_iac.backend._logins import LoginBrake
from prism_iac.backend.store import Database
from tests.unit.backend.support import PASSWORD, START, Person, Prism, Workspace, envelope


def login(prism: Prism, body: dict[str, str]) -> Any:
    return prism.client.post("/users/tokens/issue", json=body)


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def test_an_account_is_registered_and_its_password_never_shown(prism: Prism) -> None:
    body = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "Ada@Example.com",
        "credentials": {"username": "ada", "secret": PASSWORD},
        "tags": ["engine"],
        "metadata": {"born": 1815},
    }
    response = prism.client.post("/users", json=body)
    record = response.json()
    assert response.status_code == 201
    assert record["credentials"] == {"username": "ada"}
    assert (record["email"], record["tags"], record["metadata"]) == (
        "ada@example.com",
        ["engine"],
        {"born": 1815},
    )
    assert record["status"] == "enabled"
    assert PASSWORD not in response.text
    assert response.headers["Location"] == f"/users/{record['id']}"


@pytest.mark.parametrize(
    ("username", "email"),
    [("ada", "other@example.com"), ("other", "ADA@example.com"), ("ada@x.org", "a@x.org")],
)
def test_a_taken_name_or_email_is_a_conflict(prism: Prism, username: str, email: str) -> None:
    prism.person("ada")
    body = {"email": email, "credentials": {"username": username, "secret": PASSWORD}}
    assert prism.client.post("/users", json=body).status_code == 409


def test_a_short_password_is_refused(prism: Prism) -> None:
    body = {"email": "a@b.c", "credentials": {"username": "a", "secret": "1234567"}}
    assert prism.client.post("/users", json=body).status_code == 400


@pytest.mark.parametrize("name", ["ada", "ada@example.com", "ADA@Example.com"])
@pytest.mark.parametrize(("name_field", "password_field"), [("username", "password"), ("identity", "secret")])
def test_d09_a_login_takes_name_or_email_in_either_spelling(
    prism: Prism, name: str, name_field: str, password_field: str
) -> None:
    prism.person("ada")
    response = login(prism, {name_field: name, password_field: PASSWORD})
    assert response.status_code == 201
    assert response.json().keys() >= {"access_token", "refresh_token"}


def test_d09_a_failed_login_does_not_tell_whether_the_account_exists(prism: Prism) -> None:
    prism.person("ada")
    wrong = login(prism, {"username": "ada", "password": "wrong password"})
    nobody = login(prism, {"username": "nobody", "password": "wrong password"})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json() == nobody.json()


def test_tokens_carry_the_documented_claims_and_end_in_time(prism: Prism) -> None:
    ada = prism.person("ada")
    pair = login(prism, {"username": "ada", "password": PASSWORD}).json()
    access, refresh = claims_of(pair["access_token"]), claims_of(pair["refresh_token"])
    assert access.keys() == {"domain", "exp", "iat", "iss", "jti", "sub", "type", "user"}
    assert (access["sub"], access["user"], access["type"], refresh["type"]) == (ada.id, ada.id, 0, 1)
    assert access["exp"] - access["iat"] == 3600
    assert refresh["exp"] - refresh["iat"] == 24 * 3600
    assert access["jti"] != refresh["jti"]
    header = json.loads(base64.urlsafe_b64decode(pair["access_token"].split(".")[0] + "=="))
    assert header["alg"] == "HS512"


def test_an_access_token_ends_after_an_hour_and_the_refresh_token_renews_it(prism: Prism) -> None:
    prism.person("ada")
    pair = login(prism, {"username": "ada", "password": PASSWORD}).json()
    access = {"Authorization": f"Bearer {pair['access_token']}"}
    refresh = {"Authorization": f"Bearer {pair['refresh_token']}"}
    prism.clock.advance(minutes=59)
    assert prism.client.get("/users/profile", headers=access).status_code == 200
    prism.clock.advance(minutes=2)
    assert prism.client.get("/users/profile", headers=access).status_code == 401
    assert prism.client.get("/users/profile", headers=refresh).status_code == 401
    assert prism.client.post("/users/tokens/refresh", headers=access).status_code == 401
    renewed = prism.client.post("/users/tokens/refresh", headers=refresh)
    assert renewed.status_code == 201
    fresh = {"Authorization": f"Bearer {renewed.json()['access_token']}"}
    assert prism.client.get("/users/profile", headers=fresh).status_code == 200


def test_d10_a_refresh_ignores_any_body_and_tells_the_access_type(prism: Prism) -> None:
    prism.person("ada")
    pair = login(prism, {"username": "ada", "password": PASSWORD}).json()
    headers = {"Authorization": f"Bearer {pair['refresh_token']}", "Content-Type": "text/plain"}
    response = prism.client.post("/users/tokens/refresh", headers=headers, content=b"{domain_id")
    assert response.status_code == 201
    assert response.json()["access_type"] == "Bearer"


def test_forged_and_foreign_tokens_are_refused(prism: Prism, ada: Person) -> None:
    head, payload, signature = ada.token.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    for token in (f"{head}.{payload}.{signature[:-4]}AAAA", f"{unsigned}.{payload}.", "", "x", "a.b.c"):
        headers = {"Authorization": f"Bearer {token}"}
        assert prism.client.get("/users/profile", headers=headers).status_code == 401


def test_too_many_failed_logins_are_refused_for_a_while_by_account(prism: Prism) -> None:
    prism.person("ada")
    prism.person("bob")
    for _ in range(LoginBrake.ATTEMPTS):
        assert login(prism, {"username": "ada", "password": "wrong password"}).status_code == 401
    refused = login(prism, {"username": "ADA@example.com", "password": PASSWORD})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= LoginBrake.WINDOW.total_seconds()
    assert login(prism, {"username": "bob", "password": PASSWORD}).status_code == 201
    prism.clock.advance(seconds=LoginBrake.WINDOW.total_seconds())
    assert login(prism, {"username": "ada", "password": PASSWORD}).status_code == 201


def test_logins_under_way_count_until_they_end(database: Database) -> None:
    brake, now = LoginBrake(database), START
    with ExitStack() as under_way:
        for _ in range(LoginBrake.ATTEMPTS):
            under_way.enter_context(brake.attempt("ada", now=now))
        with pytest.raises(TooManyAttempts) as refused, brake.attempt("ada", now=now):
            pass
        assert refused.value.retry_after == timedelta(seconds=1)
    with brake.attempt("ada", now=now):
        pass


def test_a_changed_password_ends_the_sessions_of_the_old_one(prism: Prism, ada: Person) -> None:
    prism.clock.advance(seconds=5)
    body = {"old_secret": PASSWORD, "new_secret": "another password"}
    ada.ok("PATCH", "/users/secret", body)
    assert ada.get("/users/profile").status_code == 401
    assert login(prism, {"username": "ada", "password": PASSWORD}).status_code == 401
    assert login(prism, {"username": "ada", "password": "another password"}).status_code == 201


def test_a_wrong_old_password_changes_nothing(ada: Person) -> None:
    response = ada.patch("/users/secret", {"old_secret": "wrong password", "new_secret": "another password"})
    assert response.status_code == 400
    assert ada.get("/users/profile").status_code == 200


def test_a_disabled_account_cannot_enter_and_one_that_owns_something_stays(prism: Prism, ada: Person) -> None:
    root = prism.person("root", is_platform_administrator=True)
    prism.workspace(ada)
    assert root.post(f"/users/{ada.id}/disable").status_code == 409
    bob = prism.person("bob")
    assert root.ok("POST", f"/users/{bob.id}/disable")["status"] == "disabled"
    assert bob.get("/users/profile").status_code == 401
    assert login(prism, {"username": "bob", "password": PASSWORD}).status_code == 401
    root.ok("POST", f"/users/{bob.id}/enable")
    assert bob.get("/users/profile").status_code == 200


def test_users_are_listed_and_narrowed(prism: Prism, ada: Person) -> None:
    prism.person("bob")
    prism.person("bo_b")
    assert envelope(ada.ok("GET", "/users")) == (3, 10, 0)
    by: dict[str, list[str]] = {}
    for query in ("name=BO", "name=o_", "email=Bob@example.com", "username=ada", "identity=ada@example.com"):
        page = ada.ok("GET", f"/users?{query}")
        by[query] = sorted(user["credentials"]["username"] for user in page["users"])
    assert by == {
        "name=BO": ["bo_b", "bob"],
        "name=o_": ["bo_b"],
        "email=Bob@example.com": ["bob"],
        "username=ada": ["ada"],
        "identity=ada@example.com": ["ada"],
    }


def test_what_an_account_says_of_itself_can_change(ada: Person) -> None:
    changed = ada.ok("PATCH", f"/users/{ada.id}", {"first_name": "Ada", "metadata": {"a": 1}})
    assert (changed["first_name"], changed["metadata"], changed["last_name"]) == ("Ada", {"a": 1}, "")
    assert changed["updated_at"] != "0001-01-01T00:00:00Z"
    assert ada.ok("GET", "/users/profile") == ada.ok("GET", f"/users/{ada.id}") == changed


def test_d11_a_workspace_has_an_alias_and_is_found_by_it_under_both_prefixes(ada: Person) -> None:
    made = ada.post("/auth/domains/", {"name": "Radiology Lab (Ward 7)"})
    assert made.status_code == 201
    record = made.json()
    assert record["alias"] == "radiology-lab-ward-7"
    assert made.headers["Location"] == f"/auth/domains/{record['id']}"
    assert ada.ok("POST", "/auth/domains", {"name": "Radiology Lab (Ward 7)"})["alias"].endswith("-2")
    assert ada.ok("POST", "/workspaces/domains", {"name": "x", "route": "short"})["alias"] == "short"
    for path in ("/auth/domains/short", "/workspaces/domains/short/", "/computations/short/computations"):
        assert ada.get(path).status_code == 200
    assert ada.post("/auth/domains", {"name": "y", "alias": "short"}).status_code == 409
    assert ada.post("/auth/domains", {"name": "y", "alias": record["id"]}).status_code == 400


def test_workspaces_are_listed_with_the_callers_right(prism: Prism, ada: Person, lab: Workspace) -> None:
    bob = lab.join(prism.person("bob"))
    root = prism.person("root", is_platform_administrator=True)
    prism.workspace(prism.person("eve"), "hidden")
    rights = {
        person.name: [item["permission"] for item in person.ok("GET", "/auth/domains")["domains"]]
        for person in (ada, bob, root)
    }
    assert rights == {"ada": ["administrator"], "bob": ["member"], "root": ["administrator", "administrator"]}


def test_workspaces_are_renamed_and_members_listed(prism: Prism, ada: Person, lab: Workspace) -> None:
    bob = lab.join(prism.person("bob"), role="readers")
    changed = ada.ok("PATCH", lab.domain, {"name": "Lab 2", "alias": "lab2"})
    assert (changed["name"], changed["alias"], changed["updated_by"]) == ("Lab 2", "lab2", ada.id)
    members = ada.ok("GET", f"{lab.domain}/users")["users"]
    assert [(user["id"], user["role_name"]) for user in members] == [(bob.id, "readers"), (ada.id, "admin")]


def test_d50_the_last_ruler_of_a_workspace_or_computation_cannot_go(ada: Person, lab: Workspace) -> None:
    for entity in (lab.domain, f"{lab.computations}/{lab.computation()}"):
        (role,) = ada.ok("GET", f"{entity}/roles")["roles"]
        path = f"{entity}/roles/{role['id']}"
        ruling = {"actions": ["administrator" if "administrator" in role["actions"] else "manage_role"]}
        assert ada.delete(path).status_code == 409
        assert ada.post(f"{path}/actions/delete", ruling).status_code == 409
        assert ada.post(f"{path}/actions/delete-all").status_code == 409
        assert ada.post(f"{path}/members/delete", {"members": [ada.id]}).status_code == 409
        assert ada.post(f"{path}/members/delete-all").status_code == 409
        assert ada.ok("GET", path) == role


def test_d50_built_in_roles_can_be_renamed_and_reduced(ada: Person, lab: Workspace) -> None:
    (role,) = ada.ok("GET", f"{lab.domain}/roles")["roles"]
    path = f"{lab.domain}/roles/{role['id']}"
    assert ada.ok("PUT", path, {"name": "chief"})["role_name"] == "chief"
    ada.ok("POST", f"{path}/actions/delete", {"actions": ["disable"]})
    assert "disable" not in ada.ok("GET", f"{path}/actions")["actions"]


def test_d51_a_user_holds_one_role_and_the_refusal_names_it(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    bob = lab.join(prism.person("bob"), role="readers")
    computation = lab.computation()
    first = lab.role(computation, bob, "view", name="watchers")
    roles = f"{lab.computations}/{computation}/roles"
    second = ada.ok("POST", roles, {"role_name": "runners", "actions": ["run"]})["id"]
    refused = ada.post(f"{roles}/{second}/members", {"members": [bob.id]})
    assert refused.status_code == 409
    assert "watchers" in refused.json()["error"]
    assert ada.ok("POST", f"{roles}/{first}/members", {"members": [bob.id]}) == {"members": [bob.id]}
    ada.ok("POST", f"{roles}/{first}/members/delete", {"members": [bob.id]})
    ada.ok("POST", f"{roles}/{second}/members", {"members": [bob.id]})
    assert ada.ok("GET", f"{roles}/{second}/members")["members"] == [bob.id]


def test_d52_the_creator_owns_a_computation_with_four_actions(ada: Person, lab: Workspace) -> None:
    (role,) = ada.ok("GET", f"{lab.computations}/{lab.computation()}/roles")["roles"]
    assert role["role_name"] == "owner"
    assert role["actions"] == ["administrator", "edit", "run", "view"]
    assert role["members"] == [ada.id]
    assert role["id"].startswith("computation_")


def test_d53_role_calls_work_as_upstream_describes_them(prism: Prism, ada: Person, lab: Workspace) -> None:
    bob = lab.join(prism.person("bob"))
    roles = f"{lab.computations}/{lab.computation()}/roles"
    made = ada.post(roles, {"role_name": "night", "optional_actions": ["view"], "optional_members": [bob.id]})
    assert made.status_code == 201
    role = made.json()
    path = f"{roles}/{role['id']}"
    assert ada.ok("POST", f"{path}/actions", {"actions": ["run", "view"]}) == {"actions": ["run", "view"]}
    assert envelope(ada.ok("GET", roles)) == (2, 10, 0)
    assert ada.ok("GET", path) == {
        "id": role["id"],
        "role_name": "night",
        "actions": ["run", "view"],
        "members": [bob.id],
    }
    assert ada.post(f"{path}/members/delete-all").status_code == 204
    assert ada.post(f"{path}/actions/delete-all").status_code == 204
    assert ada.delete(path).status_code == 204
    assert ada.get(path).status_code == 404
    assert ada.post(roles, {"role_name": "owner"}).status_code == 409
    assert ada.post(roles, {"role_name": "x", "optional_actions": ["fly"]}).status_code == 400
    assert ada.post(roles, {"role_name": "x" * 201}).status_code == 400
    known = ada.ok("GET", f"{lab.computations}/roles/available-actions")["available_actions"]
    assert {"view", "edit", "run", "administrator"} < set(known)
    assert "manage_role" in ada.ok("GET", "/auth/domains/roles/available-actions")["available_actions"]


def test_only_members_of_the_workspace_can_be_put_into_a_computations_role(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    eve = prism.person("eve")
    roles = f"{lab.computations}/{lab.computation()}/roles"
    for member, status in ((eve.id, 409), ("nobody", 404)):
        response = ada.post(roles, {"role_name": "x", "optional_members": [member]})
        assert response.status_code == status
    assert len(ada.ok("GET", roles)["roles"]) == 1


def test_members_of_roles_are_shown_only_to_whoever_may_see_them(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    bob = lab.join(prism.person("bob"))
    (listed,) = [
        role for role in bob.ok("GET", f"{lab.domain}/roles")["roles"] if role["role_name"] == "admin"
    ]
    assert listed["members"] == []
    assert bob.ok("GET", f"{lab.domain}/roles/{listed['id']}")["members"] == []
    assert ada.ok("GET", f"{lab.domain}/roles/{listed['id']}")["members"] == [ada.id]


def test_d62_an_invitation_is_sent_declined_sent_again_and_accepted(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    bob = prism.person("bob")
    role = ada.ok("POST", f"{lab.domain}/roles", {"role_name": "readers", "optional_actions": ["read"]})["id"]
    invitation = {"invitee_user_id": bob.id, "role_id": role}
    assert ada.post(f"{lab.domain}/invitations", invitation).status_code == 201
    (pending,) = bob.ok("GET", "/invitations")["invitations"]
    assert (pending["domain_id"], pending["role_name"], pending["invited_by"]) == (lab.id, "readers", ada.id)
    assert bob.post("/invitations/reject", {"domain_id": lab.id}).status_code == 204
    assert bob.ok("GET", "/invitations")["total"] == 0
    assert bob.post("/invitations/accept", {"domain_id": lab.id}).status_code == 404
    ada.ok("POST", f"{lab.domain}/invitations", invitation)
    assert bob.get(lab.computations).status_code == 404
    assert bob.post("/invitations/accept", {"domain_id": lab.id}).status_code == 204
    assert bob.get(lab.domain).status_code == 200
    assert ada.post(f"{lab.domain}/invitations", invitation).status_code == 409
    (accepted,) = ada.ok("GET", f"{lab.domain}/invitations")["invitations"]
    assert accepted["state"] == "accepted"
    assert ada.delete(f"{lab.domain}/invitations", json={"user_id": bob.id}).status_code == 204
