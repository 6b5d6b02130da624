"""A result is kept only when it is the one that its agent told Prism of."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from prism_iac.agent._protocol import HEALTH_SERVICE, Header
from prism_iac.lifecycle import Live
from prism_iac.model.resources import Computation, ConfidentialVM
from prism_iac.wire.agent_pb2 import ResultResponse
from tests.contract.cli.command_line import SameProcess
from tests.contract.lifecycle.stage import ADA, GRACE, Stage


def another_result(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    content = b"another result"
    context.send_initial_metadata(((Header.FILE_SIZE.value, str(len(content))),))
    yield ResultResponse(file=content).SerializeToString()


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of somebody who answers where an agent should, with a result of its own."""
    server = grpc.server(ThreadPoolExecutor(2))
    call: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_stream_rpc_method_handler(another_result)
    handler = grpc.method_handlers_generic_handler("agent.AgentService", {"Result": call})
    server.add_generic_rpc_handlers((handler,))
    servicer = health.HealthServicer()
    servicer.set(HEALTH_SERVICE, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(grace=None)


@pytest.fixture
def completed(
    stage: Stage, computation: Live[Computation], vm: Live[ConfidentialVM], addition: Path, numbers: Path
) -> str:
    """The name of a computation whose run has a result."""
    stage.register_keys(computation, ADA, GRACE)
    run = stage.create("ComputationRun", "run", computation=computation.id, vm=vm.id, wait=False)
    stage.upload(run, addition, numbers)
    stage.update(run, wait=True)
    return str(computation.state.name)


def test_a_result_from_somebody_else_is_exit_code_4_and_not_kept(
    quick: SameProcess,
    stage: Stage,
    completed: str,
    stranger: str,
) -> None:
    (quick.folder / "ada.pem").write_bytes(stage.keys[ADA].private_pem)
    ended = quick.run("result", "--computation", completed, "--key", "ada.pem", "--address", stranger)
    assert (ended.code, ended.out) == (4, "")
    assert "is not the one that its agent told Prism of" in ended.err
    assert {path.name for path in quick.folder.iterdir()} == {"ada.pem", "addition.py", "numbers.txt"}
