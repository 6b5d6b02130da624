"""An instance as a process: started, found, stopped, killed, and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import httpx
import pytest

from prism_iac.backend import AlreadyRunning, Instance, Settings, StartFailure, start, status, stop
from prism_iac.backend._settings import keep_settings
from prism_iac.wire.cvms_pb2 import ClientStreamMessage
from prism_iac.wire.cvms_pb2_grpc import ServiceStub
from tests.contract.backend.live import PATIENCE_SECONDS, eventually


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "backend"
    yield folder
    stop(folder)


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def log_in(data: Path, instance: Instance) -> httpx.Response:
    admin = read(data / "admin.json")
    body = {"username": admin["username"], "password": admin["password"]}
    return httpx.post(f"{instance.rest_url}/users/tokens/issue", json=body)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Instance]]:
    """An instance that the tests only look at."""
    folder = tmp_path_factory.mktemp("running") / "backend"
    yield folder, start(folder)
    stop(folder)


def test_a_first_start_makes_everything_and_answers(running: tuple[Path, Instance]) -> None:
    data, instance = running
    assert httpx.get(f"{instance.rest_url}/ready").status_code == 200
    assert status(data) == instance
    names = {"pid", "started_at", "version", "rest_url", "control_address"}
    assert read(data / "instance.json").keys() == names
    admin = read(data / "admin.json")
    assert admin["endpoint"] == instance.rest_url
    assert log_in(data, instance).status_code == 201
    assert (data / "ca.pem").read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    host, _, port = instance.control_address.rpartition(":")
    socket.create_connection((host, int(port))).close()
    assert instance.rest_url.startswith("http://127.0.0.1:")


def test_what_is_secret_is_for_the_owners_eyes_only(running: tuple[Path, Instance]) -> None:
    data, _ = running
    found = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in (data, *data.iterdir())}
    assert found["backend"] == "0o700"
    secret = ("admin.json", "admin.token", "ca-key.pem", "signing-key", "config.json", "backend.db")
    for name in (*secret, "backend.log"):
        assert found[name] == "0o600", name


def test_a_token_of_the_administrator_lies_ready_while_it_runs(data: Path) -> None:
    instance = start(data)
    token = (data / "admin.token").read_text().strip()
    profile = httpx.get(f"{instance.rest_url}/users/profile", headers={"Authorization": f"Bearer {token}"})
    assert profile.json()["credentials"]["username"] == "admin"
    stop(data)
    assert not (data / "admin.token").exists()


def test_a_second_start_says_that_one_runs_and_leaves_it_alone(running: tuple[Path, Instance]) -> None:
    data, first = running
    with pytest.raises(AlreadyRunning, match=first.rest_url):
        start(data)
    assert status(data) == first
    assert log_in(data, first).status_code == 201


def test_no_secret_reaches_the_log(data: Path) -> None:
    instance = start(data)
    token = log_in(data, instance).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    httpx.get(f"{instance.rest_url}/users", headers=headers, params={"name": "canary-in-the-query"})
    stop(data)
    lines = (data / "backend.log").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    requests = [event for event in events if event["event"] == "request"]
    assert [(event["method"], event["path"], event["status"]) for event in requests] == [
        ("POST", "/users/tokens/issue", 201),
        ("GET", "/users", 200),
    ]
    text = "\n".join(lines)
    for secret in (read(data / "admin.json")["password"], token, "canary-in-the-query"):
        assert secret not in text


def test_of_eight_starts_at_once_one_wins(data: Path) -> None:
    def attempt(_: int) -> Instance | None:
        try:
            return start(data)
        except AlreadyRunning:
            return None

    with ThreadPoolExecutor(8) as pool:
        found = [instance for instance in pool.map(attempt, range(8)) if instance is not None]
    assert found == [status(data)]


def test_a_stop_ends_the_process_and_a_start_finds_everything_again(data: Path) -> None:
    first = start(data)
    before = {
        name: (data / name).read_bytes() for name in ("admin.json", "ca.pem", "signing-key", "config.json")
    }
    token = log_in(data, first).json()["access_token"]
    assert stop(data) is True
    assert not (data / "instance.json").exists()
    assert status(data) is None
    assert stop(data) is False
    # also no zombie of it, for this process lives on
    eventually(lambda: not Path(f"/proc/{first.pid}").exists())
    second = start(data)
    assert (second.rest_url, second.control_address) == (first.rest_url, first.control_address)
    assert {name: (data / name).read_bytes() for name in before} == before
    profile = httpx.get(f"{second.rest_url}/users/profile", headers={"Authorization": f"Bearer {token}"})
    assert profile.json()["credentials"]["username"] == "admin"


def test_agents_without_certificates_are_let_in_where_somebody_says_so(data: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    assert start(data, insecure_port=port).insecure_address == f"127.0.0.1:{port}"
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = ServiceStub(channel).Process(iter([ClientStreamMessage()]), metadata=(("job-id", "nobody"),))
        with pytest.raises(grpc.RpcError, match="cvm is inactive: nobody"):
            next(call)
    stop(data)
    assert start(data).insecure_address == f"127.0.0.1:{port}"
    stop(data)
    assert start(data, insecure_port=0).insecure_address == ""
    stop(data)


def test_agents_may_have_another_address_than_the_rest_api(data: Path) -> None:
    data.mkdir()
    keep_settings(Settings(data=data, control_host="127.0.0.2"))
    found = start(data)
    assert (urlsplit(found.rest_url).hostname, found.control_address[:10]) == ("127.0.0.1", "127.0.0.2:")
    trust = ssl.create_default_context(cafile=str(data / "ca.pem"))
    trust.set_alpn_protocols(["h2"])
    host, _, port = found.control_address.partition(":")
    with (
        socket.create_connection((host, int(port))) as plain,
        trust.wrap_socket(plain, server_hostname=host) as connected,
    ):
        assert connected.selected_alpn_protocol() == "h2"
    stop(data)


def test_after_a_kill_the_stale_file_is_recognised_and_nothing_is_lost(data: Path) -> None:
    first = start(data)
    token = log_in(data, first).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    made = httpx.post(f"{first.rest_url}/auth/domains", json={"name": "lab"}, headers=headers)
    assert made.status_code == 201
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: status(data) is None)
    assert (data / "instance.json").exists()
    second = start(data)
    found = httpx.get(f"{second.rest_url}/auth/domains/lab", headers=headers)
    assert found.json() == made.json()


def test_a_lost_administrator_file_is_made_afresh(data: Path) -> None:
    start(data)
    old = read(data / "admin.json")
    stop(data)
    (data / "admin.json").unlink()
    second = start(data)
    assert read(data / "admin.json")["password"] != old["password"]
    assert log_in(data, second).status_code == 201
    body = {"username": "admin", "password": old["password"]}
    assert httpx.post(f"{second.rest_url}/users/tokens/issue", json=body).status_code == 401


@pytest.mark.parametrize("name", ["rest_port", "control_port", "insecure_port"])
def test_a_taken_port_is_said_plainly(data: Path, name: str) -> None:
    kept = {"host": "127.0.0.1", "rest_port": 0, "control_port": 0, "control_names": [], "database_url": ""}
    data.mkdir()
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        (data / "config.json").write_text(json.dumps(kept | {name: port}))
        with pytest.raises(StartFailure, match=str(port)) as failure:
            start(data)
    assert name in str(failure.value)


def test_settings_that_cannot_be_read_are_said_plainly(data: Path) -> None:
    data.mkdir()
    (data / "config.json").write_text("{")
    with pytest.raises(StartFailure, match="settings cannot be read"):
        start(data)
    (data / "config.json").unlink()


def test_a_database_that_does_not_answer_is_said_plainly_without_its_password(data: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as nobody:
        port = nobody.getsockname()[1]
    with pytest.raises(StartFailure, match="database cannot be used") as failure:
        start(data, database_url=f"postgresql://prism:hunter2@127.0.0.1:{port}/prism")
    assert "hunter2" not in str(failure.value)
    assert "hunter2" not in (data / "backend.log").read_text()


@pytest.mark.postgres
def test_an_instance_on_postgresql_keeps_its_database_for_later_starts(data: Path, postgres_url: str) -> None:
    first = start(data, database_url=postgres_url)
    assert log_in(data, first).status_code == 201
    assert not (data / "backend.db").exists()
    arguments = Path(f"/proc/{first.pid}/cmdline").read_bytes()
    assert postgres_url.encode() not in arguments
    stop(data)
    second = start(data)
    assert not (data / "backend.db").exists()
    assert log_in(data, second).status_code == 201


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_in_the_foreground_it_says_where_it_is_and_ends_by_a_signal(
    data: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "prism_iac.cli", "backend", "run", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/ready").status_code == 200
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert status(data) is None


def test_a_request_that_is_going_on_is_answered_before_the_end(data: Path) -> None:
    instance = start(data)
    answers: list[int] = []

    def ask() -> None:
        while not answers or answers[-1] == 201:
            try:
                answers.append(log_in(data, instance).status_code)
            except httpx.ConnectError:
                answers.append(0)

    asking = threading.Thread(target=ask)
    asking.start()
    eventually(lambda: len(answers) > 3)
    stop(data)
    asking.join()
    assert set(answers) == {201, 0}


def run_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "prism_iac.cli", "backend", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_line_starts_shows_and_stops_it(data: Path) -> None:
    folder = ("--data", str(data))
    assert run_cli("status", *folder).returncode == 3
    up = run_cli("up", *folder, "--json")
    assert up.returncode == 0, up.stderr
    assert json.loads(up.stdout) == read(data / "instance.json")
    assert run_cli("up", *folder, "--json").stdout == up.stdout
    another = run_cli("up", *folder, "--database", "sqlite:///another.db")
    assert another.returncode == 1
    assert "runs already" in another.stderr
    assert json.loads(run_cli("status", *folder, "--json").stdout) == json.loads(up.stdout)
    assert run_cli("down", *folder).stdout == "stopped\n"
    assert run_cli("down", *folder).stdout == "not running\n"
    assert run_cli("status", *folder, "--json").stdout == "{}\n"


def test_an_instance_that_is_to_end_when_empty_stays_while_something_is_left(data: Path) -> None:
    instance = start(data)
    with httpx.Client(base_url=instance.rest_url) as client:
        token = log_in(data, instance).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        domain = client.post("/auth/domains", json={"name": "lab"}).json()["id"]
        path = f"/computations/{domain}/computations"
        client.post(path, json={"name": "sum", "description": "adds"})
        (kept,) = client.get(path).json()["computations"]
        stop(data)

        instance = start(data, empty_seconds=0.2)
        threading.Event().wait(2)  # ten times as long as an empty one stays
        assert status(data) == instance
        assert client.delete(f"{path}/{kept['id']}").status_code == 204
    eventually(lambda: status(data) is None)
    assert not (data / "instance.json").exists()
