"""Lost replies, expired tokens and a server that is away, with a real server behind them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from prism_iac.model import AssetKind, Platform
from prism_iac.prism import (
    AlreadyExists,
    AssetContent,
    Embedded,
    PasswordCredentials,
    PrismClient,
    Unavailable,
    Workspace,
    find_embedded,
    start_embedded,
)
from tests.contract.prism.conftest import stop_backend
from tests.contract.prism.faults import LosesReplies, StalesTokens

CREATES: dict[str, Callable[[Workspace, str], str]] = {
    "computations": lambda workspace, key: workspace.computations.create(
        name=f"computation {key}", description="d", idempotency_key=key
    ),
    "assets": lambda workspace, key: workspace.assets.create(
        AssetContent(AssetKind.DATASET, f"asset {key}", "ab" * 32), idempotency_key=key
    ),
    "cvms": lambda workspace, key: workspace.cvms.create(
        provider="external", vcpus=2, platform=Platform.SEV_SNP, name=f"vm {key}", idempotency_key=key
    ),
}
LISTS: dict[str, Callable[[Workspace], list[str]]] = {
    "computations": lambda workspace: [computation.id for computation in workspace.computations.list()],
    "assets": lambda workspace: [asset.id for asset in workspace.assets.list()],
    "cvms": lambda workspace: [cvm.id for cvm in workspace.cvms.list()],
}


def is_post(request: httpx.Request) -> bool:
    return request.method == "POST" and not request.url.path.startswith("/users/")


@pytest.mark.fault(2, 3)
@pytest.mark.parametrize("kind", CREATES)
def test_a_create_whose_reply_is_lost_twice_makes_one(kind: str, embedded: Embedded, domain_id: str) -> None:
    network = LosesReplies(is_post, times=2)
    with PrismClient(embedded.endpoint, embedded.accounts.admin, transport=network) as client:
        workspace = client.workspace(domain_id)
        before = set(LISTS[kind](workspace))
        made = CREATES[kind](workspace, f"lost-{kind}.0")
        assert network.delivered == 3
        assert set(LISTS[kind](workspace)) - before == {made}


@pytest.mark.fault(13)
@pytest.mark.parametrize("kind", CREATES)
def test_sixteen_threads_with_one_key_make_one(kind: str, admin: PrismClient, domain_id: str) -> None:
    workspace = admin.workspace(domain_id)
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: CREATES[kind](workspace, f"together-{kind}.0"), range(16)))
    assert len(set(made)) == 1
    assert LISTS[kind](workspace).count(made[0]) == 1


def test_a_key_that_was_used_for_something_else_is_refused(workspace: Workspace) -> None:
    workspace.computations.create(name="keyed one", description="d", idempotency_key="used.0")
    with pytest.raises(AlreadyExists):
        workspace.computations.create(name="keyed two", description="d", idempotency_key="used.0")


def test_without_a_key_a_lost_reply_is_reported_and_not_repeated(embedded: Embedded, domain_id: str) -> None:
    network = LosesReplies(is_post)
    with PrismClient(embedded.endpoint, embedded.accounts.admin, transport=network) as client:
        with pytest.raises(Unavailable) as caught:
            client.workspace(domain_id).computations.create(name="lost without key", description="d")
        names = [computation.name for computation in client.workspace(domain_id).computations.list()]
    assert caught.value.may_have_happened
    assert network.delivered == 1
    assert names.count("lost without key") == 1


@pytest.mark.fault(21)
def test_a_delete_whose_reply_is_lost_succeeds(embedded: Embedded, domain_id: str) -> None:
    network = LosesReplies(lambda request: request.method == "DELETE")
    with PrismClient(embedded.endpoint, embedded.accounts.admin, transport=network) as client:
        workspace = client.workspace(domain_id)
        made = workspace.computations.create(name="to be deleted", description="d")
        workspace.computations.delete(made)
        assert network.delivered == 2
        assert made not in LISTS["computations"](workspace)


def who_logs_in(embedded: Embedded) -> PasswordCredentials:
    """The administrator without the token that lies ready: a login gives one that can be refreshed."""
    return replace(embedded.accounts.admin, access_token=None)


def test_a_token_that_expires_under_eight_threads_is_refreshed_once(embedded: Embedded) -> None:
    network = StalesTokens()
    with PrismClient(embedded.endpoint, who_logs_in(embedded), transport=network) as client:
        client.users.profile()
        network.expire()
        with ThreadPoolExecutor(8) as pool:
            names = set(pool.map(lambda _: client.users.profile().username, range(8)))
    assert names == {"admin"}
    assert network.refreshes == 1


@pytest.mark.fault(43)
def test_a_list_goes_on_when_the_token_expires_in_the_middle(embedded: Embedded, domain_id: str) -> None:
    network = StalesTokens()
    with PrismClient(embedded.endpoint, who_logs_in(embedded), transport=network) as client:
        workspace = client.workspace(domain_id)
        for number in range(120):
            workspace.assets.create(AssetContent(AssetKind.DATASET, f"paged {number}", f"{number:064x}"))
        found = set()
        for asset in workspace.assets.list():
            network.expire()
            found.add(asset.description)
    assert {f"paged {number}" for number in range(120)} <= found
    assert network.refreshes >= 1


def test_a_client_outlives_a_restart_of_the_backend(own_data: Path) -> None:
    with start_embedded(own_data) as embedded:
        domain_id = embedded.accounts.ensure_workspace("restart").id
        with PrismClient(embedded.endpoint, embedded.accounts.admin) as client:
            workspace = client.workspace(domain_id)
            made = workspace.computations.create(name="n", description="d")
            stop_backend(own_data)
            assert find_embedded(own_data) is None
            with ThreadPoolExecutor(2) as pool:
                waiting = pool.submit(workspace.computations.get, made)
                again = start_embedded(own_data)
                assert waiting.result().id == made
            assert again.endpoint == embedded.endpoint


def test_a_backend_that_was_killed_is_not_found_and_starts_again(own_data: Path) -> None:
    first = start_embedded(own_data)
    subprocess.run(["kill", "-9", str(first.pid)], check=True)
    second = start_embedded(own_data)
    assert second.pid != first.pid
    assert second.endpoint == first.endpoint


def test_processes_that_start_it_at_once_share_one(own_data: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from prism_iac.prism import start_embedded;"
        "print(start_embedded(Path(sys.argv[1])).pid)"
    )

    def start(_: int) -> str:
        return subprocess.check_output([sys.executable, "-c", program, own_data], text=True)

    with ThreadPoolExecutor(4) as pool:
        pids = set(pool.map(start, range(4)))
    assert len(pids) == 1
