"""Commands whose connection to the agent breaks in the middle begin again, and say so."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.contract.agent.conftest import authority, control, issue, key, make_vm, scene, server, vm
from tests.contract.agent.relay import relay
from tests.contract.agent.scene import Scene
from tests.contract.cli.command_line import SameProcess

__all__ = ["authority", "control", "issue", "key", "make_vm", "scene", "server", "vm"]

COPY = b"#!/bin/sh\ncp datasets/* results/\n"
SIZE = 6 << 20
BEGINNING_AGAIN = "the connection to the agent broke before it answered"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> SameProcess:
    """The command line of somebody who knows an agent, and no Prism."""
    folder = tmp_path / "participant"
    folder.mkdir()
    return SameProcess(folder, patch=monkeypatch, captured=capsys)


@pytest.fixture
def awaiting(scene: Scene, alone: SameProcess) -> Scene:
    """An agent that has the algorithm and awaits a dataset."""
    scene.folder = alone.folder
    (alone.folder / "private.pem").write_bytes(scene.key.private_pem)
    scene.begin(COPY, {"large.bin": bytes(SIZE)})
    with scene.connect() as client:
        scene.upload_algorithm(client)
    return scene


def test_an_upload_and_a_download_begin_again(awaiting: Scene, alone: SameProcess) -> None:
    with relay(awaiting.vm.address, breaks=2, after_bytes=SIZE // 2) as address:
        uploaded = alone.run("data", "large.bin", "--address", address)
    assert uploaded.code == 0, uploaded.err
    assert uploaded.err.count(BEGINNING_AGAIN) == 2
    awaiting.control.wait_for_event("ConsumingResults", "Ready")
    with relay(awaiting.vm.address, breaks=1, after_bytes=SIZE // 2) as address:
        fetched = alone.run("result", "--address", address)
    assert fetched.code == 0, fetched.err
    assert fetched.err.count(BEGINNING_AGAIN) == 1
    with zipfile.ZipFile(alone.folder / "results.zip") as archive:
        assert archive.read("large.bin") == bytes(SIZE)


def test_it_gives_up_at_the_third_time_and_nothing_is_left(awaiting: Scene, alone: SameProcess) -> None:
    with relay(awaiting.vm.address, breaks=9, after_bytes=SIZE // 2) as address:
        ended = alone.run("data", "large.bin", "--address", address)
    assert ended.code == 3
    assert ended.err.count("; beginning again") == 2
    assert "Repeat the call: a broken upload leaves nothing behind." in ended.err
    assert awaiting.control.state() == "ReceivingData"


def test_a_refusal_after_a_break_says_that_the_first_may_have_arrived(
    awaiting: Scene, alone: SameProcess
) -> None:
    with relay(awaiting.vm.address, breaks=1, after_bytes=SIZE // 2) as address:
        process = alone.run("data", "large.bin", "--address", address, "--name", "other.bin")
    assert "beginning again" in process.err
    assert "may have arrived" in process.err
