"""Accounts of the embedded backend are made once, whoever asks and however often, and never taken over."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prism_iac.errors import Conflict, InvalidInput
from prism_iac.prism import Embedded, PasswordCredentials, PrismClient, find_embedded, start_embedded

PROGRAM = """
import sys
from pathlib import Path
from prism_iac.prism import find_embedded
with find_embedded(Path(sys.argv[1])) as embedded:
    password = embedded.accounts.ensure_user("race@example.com").password
    domain = embedded.accounts.ensure_workspace("Race Track").id
    print(password, domain, embedded.accounts.ensure_member(domain, "race@example.com").id)
"""


def passwords(embedded: Embedded) -> dict[str, str]:
    kept: dict[str, str] = json.loads((embedded.data / "backend" / "credentials.json").read_text())
    return kept


def test_a_user_is_made_on_first_use_and_found_afterwards(embedded: Embedded) -> None:
    credentials = embedded.accounts.ensure_user("Mary@Example.com")
    assert credentials.username == "mary@example.com"
    assert embedded.accounts.ensure_user("mary@example.com") == credentials
    again = find_embedded(embedded.data)
    assert again is not None
    with again:
        assert again.accounts.ensure_user("mary@example.com") == credentials
    with PrismClient(embedded.endpoint, credentials) as client:
        assert client.users.profile().email == "mary@example.com"


def test_the_passwords_are_private(embedded: Embedded) -> None:
    embedded.accounts.ensure_user("mary@example.com")
    path = embedded.data / "backend" / "credentials.json"
    assert path.stat().st_mode & 0o777 == 0o600


def test_processes_and_threads_that_ask_at_once_make_one_of_each(embedded: Embedded) -> None:
    def ask(_: int) -> list[str]:
        return subprocess.check_output([sys.executable, "-c", PROGRAM, embedded.data], text=True).split()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert all(answer == answers[0] for answer in answers)
    with PrismClient(embedded.endpoint, embedded.accounts.admin) as client:
        assert [domain.name for domain in client.domains.list()].count("Race Track") == 1
        members = [user.email for user in client.domains.members(answers[0][1])]
    assert members.count("race@example.com") == 1


def test_an_account_that_somebody_else_made_is_not_taken_over(embedded: Embedded, admin: PrismClient) -> None:
    admin.users.register(
        email="eve@example.com",
        username="eve",
        password="made by hand",
        first_name="Eve",
        last_name="",
    )
    with pytest.raises(Conflict, match="its password is not known here"):
        embedded.accounts.ensure_user("eve@example.com")
    assert "eve@example.com" not in passwords(embedded)


def test_a_cut_between_password_and_account_loses_nothing(embedded: Embedded) -> None:
    path = embedded.data / "backend" / "credentials.json"
    kept = passwords(embedded) | {"cut@example.com": "kept before the cut"}
    path.write_text(json.dumps(kept))
    assert embedded.accounts.ensure_user("cut@example.com").password == "kept before the cut"
    with PrismClient(embedded.endpoint, embedded.accounts.ensure_user("cut@example.com")) as client:
        assert client.users.profile().email == "cut@example.com"


def test_a_name_that_is_no_email_address_gets_no_account(embedded: Embedded) -> None:
    for name in ("ada", "@example.com", ""):
        with pytest.raises(InvalidInput, match="no email address"):
            embedded.accounts.ensure_user(name)


def test_a_workspace_is_found_by_name_alias_and_id(embedded: Embedded) -> None:
    made = embedded.accounts.ensure_workspace("Radiology / Lab")
    for name in (made.name, made.alias, made.id):
        assert embedded.accounts.ensure_workspace(name) == made


def test_names_that_look_alike_are_two_workspaces(embedded: Embedded) -> None:
    assert embedded.accounts.ensure_workspace("a b").id != embedded.accounts.ensure_workspace("a-b").id
    assert embedded.accounts.ensure_workspace("Größe").id != embedded.accounts.ensure_workspace("Gräße").id


def test_a_member_may_look_in_and_no_more(embedded: Embedded, ada: PrismClient, domain_id: str) -> None:
    assert ada.domains.get(domain_id).name == "research"
    first = embedded.accounts.ensure_member(domain_id, "ada@example.com")
    assert first == embedded.accounts.ensure_member(domain_id, first.id)
    roles = {role.name: role for role in ada.domains.roles.list(domain_id)}
    assert roles["participant"].actions == ("read",)


def test_somebody_who_does_not_exist_is_no_member(embedded: Embedded, domain_id: str) -> None:
    with pytest.raises(InvalidInput, match='there is no user "nobody'):
        embedded.accounts.ensure_member(domain_id, "nobody@example.com")


def test_the_administrator_signs_in_with_what_the_backend_wrote(embedded: Embedded) -> None:
    assert isinstance(embedded.accounts.admin, PasswordCredentials)
    with PrismClient(embedded.endpoint, embedded.accounts.admin) as client:
        assert client.users.profile().username == embedded.accounts.admin.username


def test_starting_it_again_finds_it(embedded: Embedded) -> None:
    assert start_embedded(embedded.data) == embedded


def test_where_no_backend_ran_there_is_none(tmp_path: Path) -> None:
    assert find_embedded(tmp_path) is None
