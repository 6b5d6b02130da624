"""What participants may put on a VM's disk, and take out of it."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from prism_iac.agent import AgentRefused, ComputationFailed
from prism_iac.agent.server import _service
from prism_iac.agent.server._refused import Refused
from prism_iac.pki import KeyPair
from prism_iac.wire.agent_pb2 import DataRequest
from tests.contract.agent.control import Control
from tests.contract.agent.scene import Scene
from tests.contract.agent.vm import Vm

ALGORITHM = b"#!/bin/sh\ncat datasets/* > results/all\n"
MIB = 1 << 20


@pytest.fixture
def small(make_vm: Callable[..., Vm], control: Control, key: KeyPair, tmp_path: Path) -> Scene:
    """A VM that takes 2 MiB in an upload and 3 in all, and gives 1."""
    vm = make_vm(AGENT_LIMIT_UPLOAD_MIB="2", AGENT_LIMIT_DATA_MIB="3", AGENT_LIMIT_RESULT_MIB="1")
    control.wait_for_streams(1)
    return Scene(vm, control, key, tmp_path)


def archive_of(size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(size))
    return buffer.getvalue()


def left_over(scene: Scene) -> list[Path]:
    return [path for path in scene.vm.folder.rglob("incoming/*") if path.is_file()]


def test_an_upload_has_a_limit_and_another_one_may_follow(small: Scene) -> None:
    small.begin(ALGORITHM, {"large": bytes(2 * MIB + 1), "fits": bytes(MIB // 2)})
    with small.connect() as client:
        small.upload_algorithm(client)
        for _ in range(2):
            with pytest.raises(AgentRefused) as refused:
                small.upload_dataset(client, "large")
            assert "this VM takes 2 MiB in one upload" in str(refused.value)
        assert left_over(small) == []
        small.upload_dataset(client, "fits")


def test_all_uploads_of_a_computation_have_a_limit_together(small: Scene) -> None:
    small.begin(ALGORITHM, {"first": bytes(2 * MIB), "second": bytes(3 * MIB // 2)})
    with small.connect() as client:
        small.upload_algorithm(client)
        small.upload_dataset(client, "first")
        with pytest.raises(AgentRefused, match="this VM takes 3 MiB for one computation"):
            small.upload_dataset(client, "second")


def test_what_comes_out_of_archives_counts_as_well(small: Scene) -> None:
    small.begin(ALGORITHM, {"a.zip": archive_of(4 * MIB), "b.zip": archive_of(MIB)})
    with small.connect() as client:
        small.upload_algorithm(client)
        with pytest.raises(AgentRefused, match="may come out of it"):
            small.upload_dataset(client, "a.zip", decompress=True)
        small.upload_dataset(client, "b.zip", decompress=True)


def test_the_next_computation_has_the_whole_allowance(small: Scene) -> None:
    for number in (1, 2):
        id_ = f"c-{number}"
        small.begin(b"#!/bin/sh\ntouch results/x\n", {"data": bytes(2 * MIB)}, id_=id_)
        with small.connect() as client:
            small.upload_algorithm(client)
            small.upload_dataset(client, "data")
        small.control.stop(id_)
        small.control.wait_for_stop_response(id_)


def test_a_result_has_a_limit(small: Scene) -> None:
    small.begin(ALGORITHM, {"data": bytes(MIB + 1)})
    with small.connect() as client:
        small.upload_algorithm(client)
        small.upload_dataset(client, "data")
        small.control.wait_for(lambda message: message.agent_event.event_type == "Failed")
        with pytest.raises(ComputationFailed, match=f"left more than {MIB} bytes in results/"):
            small.fetch(client)


def test_an_upload_that_stops_coming_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "_STALLED_SECONDS", 0.05)

    async def upload() -> AsyncIterator[DataRequest]:
        yield DataRequest(dataset=b"first")
        await asyncio.Event().wait()

    async def take() -> None:
        async for piece in _service._arriving(upload()):
            assert piece.dataset == b"first"

    with pytest.raises(Refused, match=r"nothing came for 0\.05 seconds"):
        asyncio.run(take())
