from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from prism_iac.hypervisor._port import LOOPBACK, reserve_port
from prism_iac.hypervisor.local import LocalHypervisor
from tests.unit.hypervisor.conftest import SPEC


def _agents_server(port: int) -> grpc.Server:
    server = grpc.server(ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
    assert server.add_insecure_port(f"{LOOPBACK}:{port}") == port
    return server


def test_nobody_else_gets_the_port_of_a_vm(hypervisor: LocalHypervisor) -> None:
    port = int(hypervisor.create(SPEC).agent_address.rpartition(":")[2])
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind((LOOPBACK, port))
    hypervisor.remove(SPEC.id)
    with socket.socket() as stranger:
        stranger.bind((LOOPBACK, port))


def test_the_agent_can_serve_on_a_reserved_port_again_and_again() -> None:
    with reserve_port() as holder:
        port = holder.getsockname()[1]
        for _ in range(2):
            server = _agents_server(port)
            server.start()
            with socket.create_connection((LOOPBACK, port), timeout=10):
                pass
            server.stop(None).wait()


def test_a_reserved_port_refuses_connections_until_the_agent_serves() -> None:
    with reserve_port() as holder, pytest.raises(ConnectionRefusedError):
        socket.create_connection(holder.getsockname(), timeout=10)


def test_the_preferred_port_is_taken_when_it_is_free_and_another_when_not() -> None:
    with reserve_port() as first:
        wanted = first.getsockname()[1]
    with reserve_port(wanted) as again:
        assert again.getsockname()[1] == wanted
    with socket.socket() as stranger:
        stranger.bind((LOOPBACK, wanted))
        with reserve_port(wanted) as other:
            assert other.getsockname()[1] != wanted
