"""The control stream: what happens when it breaks, and when Prism says something unusual."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from prism_iac.pki import KeyPair, sign_role
from prism_iac.wire.agent_pb2 import AlgoRequest
from prism_iac.wire.agent_pb2_grpc import AgentServiceStub
from prism_iac.wire.cvms_pb2 import Algorithm, ComputationRunReq, RunReqChunks
from tests.contract.agent.control import PATIENCE_SECONDS, Control, ControlServer
from tests.contract.agent.scene import Scene
from tests.contract.agent.vm import Vm, eventually, manifest, processes_in

WAIT_FOR_FILE = b"""#!/bin/sh
while ! [ -e ../go ]; do sleep 0.02; done
echo done > results/x
"""


def test_events_of_an_outage_arrive_in_order_after_it(scene: Scene, server: ControlServer) -> None:
    scene.begin(WAIT_FOR_FILE)
    with scene.connect() as client:
        scene.upload_algorithm(client)
        scene.control.wait_for_event("Running", "InProgress")
        server.stop()
        (scene.vm.work / "go").touch()
        pending = scene.vm.folder / "agent" / "pending"
        eventually(lambda: any(b"ConsumingResults" in file.read_bytes() for file in pending.iterdir()))
        scene.fetch(client)  # participants do not need Prism for it
        scene.control.received.clear()
        server.start()
        scene.control.wait_for_event("Complete", "Completed")
    assert scene.control.events()[-3:] == [
        ("Running", "Completed"),
        ("ConsumingResults", "Ready"),
        ("Complete", "Completed"),
    ]
    assert scene.control.state() == "Complete"


def test_an_agent_that_is_killed_loses_no_event_and_reports_the_computation_as_failed(
    scene: Scene, server: ControlServer
) -> None:
    scene.begin(WAIT_FOR_FILE)
    with scene.connect() as client:
        scene.upload_algorithm(client)
        scene.control.wait_for_event("Running", "InProgress")
    server.stop()
    scene.vm.kill()
    scene.control.received.clear()
    scene.vm.start()
    server.start()
    failed = scene.control.wait_for_event("Failed", "Failed")
    assert failed.computation_id == "c-1"
    assert json.loads(failed.details) == {"error": "the agent ended while the computation was under way"}
    assert scene.control.events() == [
        ("ReceivingAlgorithm", "InProgress"),
        ("Running", "Starting"),
        ("Running", "InProgress"),
        ("Failed", "Failed"),
    ]
    assert scene.control.state() == "ReceivingManifest"
    assert [path.name for path in scene.vm.work.iterdir()] == []
    scene.run(b"#!/bin/sh\n", id_="c-2")


def test_a_computation_that_ended_before_the_agent_was_killed_is_not_reported_as_failed(
    scene: Scene,
) -> None:
    scene.run(b"#!/bin/sh\n")
    restart(scene)
    scene.begin(b"never uploaded", id_="c-2")
    scene.control.stop("c-2")
    scene.control.wait_for_stop_response("c-2")
    restart(scene)
    assert ("Failed", "Failed") not in scene.control.events()


def restart(scene: Scene) -> None:
    scene.vm.kill()
    streams = len(scene.control.streams)
    scene.vm.start()
    scene.control.wait_for_streams(streams + 1)
    assert scene.control.state() == "ReceivingManifest"


def test_what_has_arrived_is_not_kept(scene: Scene) -> None:
    scene.begin(b"#!/bin/sh\n")
    pending = scene.vm.folder / "agent" / "pending"
    assert list(pending.iterdir())

    def is_empty() -> bool:
        scene.control.state()
        return not list(pending.iterdir())

    eventually(is_empty)


def test_an_agent_comes_up_before_prism_does(
    make_vm: Callable[..., Vm], server: ControlServer, control: Control
) -> None:
    server.stop()
    vm = make_vm()
    eventually(lambda: "control stream ended" in vm.console.read_text())
    server.start()
    control.wait_for_streams(1)
    assert control.state() == "ReceivingManifest"


def test_a_removed_vm_ends(make_vm: Callable[..., Vm], control: Control) -> None:
    control.is_inactive = True
    vm = make_vm()
    assert vm.process is not None
    assert vm.process.wait(PATIENCE_SECONDS) == 0


def test_a_removed_vm_ends_in_mid_run_and_takes_the_algorithm_along(
    scene: Scene, server: ControlServer
) -> None:
    scene.begin(b"#!/bin/sh\nsetsid sleep 7771 & sleep 7772\n")
    with scene.connect() as client:
        scene.upload_algorithm(client)
    eventually(lambda: bool(processes_in(scene.folder, "sleep\0007772")))
    server.stop()
    scene.control.is_inactive = True
    server.start()
    assert scene.vm.process is not None
    assert scene.vm.process.wait(PATIENCE_SECONDS) == 0
    assert not processes_in(scene.folder, "sleep\000777")


def test_a_manifest_may_come_in_one_piece(scene: Scene, key: KeyPair) -> None:
    scene.control.say(runReq=manifest(key, b"x"))
    assert scene.control.wait_for_run_response() == ""
    assert scene.control.state() == "ReceivingAlgorithm"


def test_a_busy_agent_ignores_a_manifest(scene: Scene, key: KeyPair) -> None:
    scene.begin(b"x")
    scene.control.send_manifest(manifest(key, b"y", id_="c-2"))
    scene.control.wait_for(lambda message: "a manifest was ignored" in message.agent_log.message)
    assert scene.control.state() == "ReceivingAlgorithm"
    assert not [message for message in scene.control.received if message.run_res.computation_id == "c-2"]


def test_a_manifest_that_cannot_run_is_answered_and_a_right_one_runs_after_it(
    scene: Scene, key: KeyPair
) -> None:
    whole = manifest(key, b"x", [("a", b"1")])
    cases: list[tuple[str, ComputationRunReq, str]] = []

    def case(name: str, expected: str, change: Callable[[ComputationRunReq], object]) -> None:
        request = ComputationRunReq()
        request.CopyFrom(whole)
        request.id = name
        change(request)
        cases.append((name, request, expected))

    case("no-algorithm", "declares no algorithm", lambda request: request.ClearField("algorithm"))
    case(
        "short-hash",
        "algorithm.hash: must be a SHA3-256 digest of 32 bytes, has 31",
        lambda request: request.algorithm.MergeFrom(Algorithm(hash=bytes(31))),
    )
    case(
        "bad-key",
        "result_consumers[0].userKey: ",
        lambda request: setattr(request.result_consumers[0], "userKey", b"\x30\x03bad"),
    )
    case(
        "climbs",
        "datasets[0].filename: names another folder",
        lambda request: setattr(request.datasets[0], "filename", "../a"),
    )
    case(
        "twins",
        'datasets: 2 datasets have the file name "a"',
        lambda request: request.datasets.append(whole.datasets[0]),
    )
    case(
        "sealed",
        "algorithm.source: this agent decrypts what it fetches, and no upload",
        lambda request: setattr(request.algorithm.source, "encrypted", True),
    )
    case(
        "attested",
        "agent_config.attested_tls: this VM has no trusted execution environment",
        lambda request: setattr(request.agent_config, "attested_tls", True),
    )
    for name, request, expected in cases:
        scene.control.say(runReq=request)
        assert expected in scene.control.wait_for_run_response(name)
    scene.control.say(runReqChunks=RunReqChunks(id="garbage", data=b"\xff\xff\xff", is_last=True))
    assert scene.control.wait_for_run_response("garbage") == "received manifest may be corrupted"
    assert scene.control.state() == "ReceivingManifest"
    scene.run(b"#!/bin/sh\n", id_="right")


def test_a_port_that_is_taken_is_answered_and_tried_again_with_the_next_manifest(
    make_vm: Callable[..., Vm], control: Control, key: KeyPair, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        vm = make_vm(AGENT_LISTEN=f"127.0.0.1:{squatter.getsockname()[1]}")
        vm.port = squatter.getsockname()[1]
        control.wait_for_streams(1)
        control.send_manifest(manifest(key, b"x", id_="taken"))
        assert "cannot be opened for participants" in control.wait_for_run_response("taken")
        assert control.state() == "ReceivingManifest"
    Scene(vm, control, key, tmp_path).run(b"#!/bin/sh\n")


def test_a_message_of_an_unknown_kind_is_ignored(scene: Scene) -> None:
    scene.control.say()
    assert scene.control.state() == "ReceivingManifest"


def test_a_stop_ends_the_algorithm_and_closes_the_port(scene: Scene) -> None:
    scene.begin(b"#!/bin/sh\necho secret > ../left; setsid sleep 7781 & sleep 7782\n")
    with scene.connect() as client:
        scene.upload_algorithm(client)
    eventually(lambda: bool(processes_in(scene.folder, "sleep\0007782")))
    scene.control.stop()
    assert scene.control.wait_for_stop_response() == ""
    assert not processes_in(scene.folder, "sleep\000778")
    assert scene.control.state() == "ReceivingManifest"
    assert scene.control.events()[-1] == ("Stopped", "Stopped")
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", scene.vm.port)):
        pass
    assert not (scene.vm.work / "computation").exists()


def test_a_stop_is_prompt_while_the_algorithm_floods_its_output(scene: Scene) -> None:
    scene.begin(b"#!/bin/sh\nyes secret & sleep 7783\n")
    with scene.connect() as client:
        scene.upload_algorithm(client)
    eventually(lambda: bool(processes_in(scene.folder, "sleep\0007783")))
    begun = time.monotonic()
    scene.control.stop()
    assert scene.control.wait_for_stop_response() == ""
    assert time.monotonic() - begun < 8  # the supervisor gets ten seconds before it is killed
    assert not processes_in(scene.folder, "yes")


def test_a_stop_without_a_computation_is_answered(scene: Scene) -> None:
    scene.control.stop("c-0")
    assert scene.control.wait_for_stop_response("c-0") == ""
    assert scene.control.events() == []


def test_a_stop_forgets_the_result(scene: Scene) -> None:
    scene.run(b"#!/bin/sh\necho x > results/x\n")
    assert (scene.vm.folder / "agent" / "result.zip").exists()
    scene.control.stop()
    assert scene.control.wait_for_stop_response() == ""
    assert not (scene.vm.folder / "agent" / "result.zip").exists()


def test_sigterm_ends_the_agent_and_what_it_runs(scene: Scene) -> None:
    scene.begin(b"#!/bin/sh\ntrap '' TERM; setsid sleep 7791 & sleep 7792\n")
    with scene.connect() as client:
        scene.upload_algorithm(client)
    eventually(lambda: bool(processes_in(scene.folder, "sleep\0007792")))
    assert scene.vm.terminate() == 0
    assert not processes_in(scene.folder, "sleep\000779")
    assert list(scene.vm.work.iterdir()) == []


def test_an_agent_that_is_killed_takes_the_algorithm_along(scene: Scene) -> None:
    scene.begin(b"#!/bin/sh\nsetsid sleep 7801 & sleep 7802\n")
    with scene.connect() as client:
        scene.upload_algorithm(client)
    eventually(lambda: bool(processes_in(scene.folder, "sleep\0007802")))
    os.kill(scene.vm.pid, signal.SIGKILL)
    eventually(lambda: not processes_in(scene.folder, "sleep\000780"))


def test_a_slow_upload_does_not_survive_a_stop(scene: Scene) -> None:
    scene.begin(b"x")
    signature = base64.b64encode(sign_role(scene.key.private_pem, "algorithm-provider")).decode()
    is_stopped = threading.Event()

    def messages() -> Iterator[AlgoRequest]:
        yield AlgoRequest(algorithm=bytes(1 << 20))
        is_stopped.wait()

    with grpc.insecure_channel(scene.vm.address) as channel:
        call = AgentServiceStub(channel).Algo.future(messages(), metadata=(("signature", signature),))
        eventually(lambda: any(file.stat().st_size for file in (scene.vm.work / "incoming").iterdir()))
        scene.control.stop()
        assert scene.control.wait_for_stop_response() == ""
        is_stopped.set()
        assert call.exception(PATIENCE_SECONDS) is not None
    assert list(scene.vm.work.iterdir()) == []
    scene.run(b"#!/bin/sh\n", id_="c-2")


def test_a_computation_chooses_how_much_is_logged(scene: Scene, key: KeyPair) -> None:
    request = manifest(key, b"#!/bin/sh\necho quiet\necho loud >&2\n")
    request.agent_config.log_level = "error"
    (scene.folder / "algorithm").write_bytes(b"#!/bin/sh\necho quiet\necho loud >&2\n")
    scene.control.say(runReq=request)
    assert scene.control.wait_for_run_response() == ""
    with scene.connect() as client:
        scene.upload_algorithm(client)
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert [line.message for line in scene.control.logs() if line.computation_id] == ["loud"]
