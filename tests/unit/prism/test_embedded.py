"""An embedded backend is found while it lives and answers, and started once by whoever asks first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prism_iac.errors import Conflict
from prism_iac.prism import Accounts, PasswordCredentials, find_embedded, start_embedded
from tests.unit.prism.raw_server import RawServer, response

READY = response(b'{"status": "pass"}')

STAND_IN = """#!{python}
# Stands in for `python -m prism_iac.cli backend up --data DIR`: counts its starts, says where it serves.
import json, os, pathlib, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index("--data") + 1])
folder.mkdir(parents=True, exist_ok=True)
with (folder / "starts").open("a") as starts:
    starts.write(" ".join(sys.argv[1:]) + "\\n")
time.sleep(0.2)  # wide open for a second start
if {fails}:
    sys.exit("the port is taken by \\x1b[31manother program")
instance = {{"pid": {pid}, "rest_url": "{endpoint}", "control_address": "127.0.0.1:7018"}}
(folder / "instance.json").write_text(json.dumps(instance))
"""

StandIn = Callable[..., Path]


def write_instance(data: Path, **fields: object) -> None:
    (data / "backend").mkdir(parents=True, exist_ok=True)
    (data / "backend" / "instance.json").write_text(json.dumps(fields))


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    def install(endpoint: str = "", *, fails: bool = False) -> Path:
        script = tmp_path / "python"
        script.write_text(
            STAND_IN.format(python=sys.executable, fails=fails, pid=os.getpid(), endpoint=endpoint)
        )
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))
        return tmp_path / "data"

    return install


def test_a_backend_that_answers_is_found(tmp_path: Path) -> None:
    with RawServer(READY) as server:
        write_instance(
            tmp_path, pid=os.getpid(), rest_url=server.endpoint, control_address="127.0.0.1:7018", version="1"
        )
        embedded = find_embedded(tmp_path)
    assert embedded is not None
    assert (embedded.endpoint, embedded.control_address) == (server.endpoint, "127.0.0.1:7018")
    assert (embedded.data, embedded.pid) == (tmp_path, os.getpid())
    assert server.requests[0].startswith(b"GET /ready HTTP/1.1")


def test_where_there_is_no_file_there_is_no_backend(tmp_path: Path) -> None:
    assert find_embedded(tmp_path) is None


@pytest.mark.parametrize(
    "reply",
    [
        response(b"{}", status="503 Service Unavailable"),
        b"",
        b"SSH-2.0\r\n",
        response(b"", status="404 Not Found"),
    ],
)
def test_a_server_that_is_not_ready_is_no_backend(reply: bytes, tmp_path: Path) -> None:
    with RawServer(reply) as server:
        write_instance(tmp_path, pid=os.getpid(), rest_url=server.endpoint, control_address="x:1")
        assert find_embedded(tmp_path) is None


def test_a_file_that_outlived_its_process_is_recognised(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with RawServer(READY) as server:
        write_instance(tmp_path, pid=ended.pid, rest_url=server.endpoint, control_address="x:1")
        assert find_embedded(tmp_path) is None
    assert server.requests == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"pid": "x", "rest_url": "http://127.0.0.1:1", "control_address": "x:1"},
        {"pid": 10**30, "rest_url": "http://127.0.0.1:1", "control_address": "x:1"},
        {"pid": os.getpid(), "rest_url": "http://127.0.0.1:x", "control_address": "x:1"},
        {"pid": os.getpid(), "rest_url": "http://[", "control_address": "x:1"},
        {"pid": os.getpid(), "rest_url": "http://127.0.0.1:1", "control_address": "x:1"},
    ],
)
def test_a_file_that_leads_nowhere_is_no_backend(fields: dict[str, object], tmp_path: Path) -> None:
    write_instance(tmp_path, **fields)
    assert find_embedded(tmp_path) is None


def test_half_a_file_is_no_backend(tmp_path: Path) -> None:
    write_instance(tmp_path)
    (tmp_path / "backend" / "instance.json").write_text('{"pid": 1')
    assert find_embedded(tmp_path) is None


def test_many_who_start_it_at_once_start_it_once(stand_in: StandIn) -> None:
    with RawServer(READY) as server:
        data = stand_in(server.endpoint)
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(lambda _: start_embedded(data), range(6)))
    assert len({embedded.endpoint for embedded in found}) == 1
    starts = (data / "backend" / "starts").read_text().splitlines()
    assert starts == [f"-m prism_iac.cli backend up --until-empty --data {data / 'backend'}"]


def test_one_that_runs_is_not_started_again(stand_in: StandIn) -> None:
    with RawServer(READY) as server:
        data = stand_in(server.endpoint)
        start_embedded(data)
        start_embedded(data)
    assert len((data / "backend" / "starts").read_text().splitlines()) == 1


def test_the_data_folder_is_made_for_its_owner_alone(stand_in: StandIn) -> None:
    with RawServer(READY) as server:
        data = stand_in(server.endpoint)
        start_embedded(data)
    assert data.stat().st_mode & 0o777 == 0o700


def test_one_that_does_not_start_says_why(stand_in: StandIn) -> None:
    data = stand_in(fails=True)
    with pytest.raises(Conflict, match="does not start: the port is taken by") as caught:
        start_embedded(data)
    assert "\x1b" not in str(caught.value)
    assert "prism-iac backend run" in caught.value.next_step


def test_the_administrator_is_read_from_its_file(tmp_path: Path) -> None:
    with RawServer(READY) as server:
        write_instance(tmp_path, pid=os.getpid(), rest_url=server.endpoint, control_address="x:1")
        embedded = find_embedded(tmp_path)
    assert embedded is not None
    with pytest.raises(Conflict, match="administrator of the embedded backend is not known"):
        _ = embedded.accounts.admin
    admin = {"username": "admin", "password": "hunter2", "endpoint": "x"}
    (tmp_path / "backend" / "admin.json").write_text(json.dumps(admin))
    assert embedded.accounts.admin == PasswordCredentials("admin", "hunter2")
    assert "hunter2" not in repr(embedded)


def test_the_administrator_begins_with_the_token_that_lies_ready(tmp_path: Path) -> None:
    (tmp_path / "backend").mkdir()
    admin = {"username": "admin", "password": "hunter2", "endpoint": "x"}
    (tmp_path / "backend" / "admin.json").write_text(json.dumps(admin))
    accounts = Accounts(tmp_path / "backend", "http://127.0.0.1:1")
    tokens = [accounts.admin.access_token]
    (tmp_path / "backend" / "admin.token").write_text("ey.J0.eXA\n")
    tokens.append(accounts.admin.access_token)
    assert tokens == [None, "ey.J0.eXA"]
    assert "eXA" not in repr(accounts.admin)
