"""The port where participants of a computation connect.

Source: cocos-grpc.md sections 2.2, 9.1 and 11.4.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_health.v1.health_pb2 import HealthCheckResponse

from prism_iac.agent._protocol import HEALTH_SERVICE
from prism_iac.agent.atls import Attest
from prism_iac.agent.server._attested_front import AttestedFront
from prism_iac.agent.server._security import PortSecurity
from prism_iac.agent.server._settings import Endpoint
from prism_iac.errors import Conflict
from prism_iac.wire.agent_pb2_grpc import AgentServiceServicer, add_AgentServiceServicer_to_server

__all__ = ["ParticipantPort"]

_MOST_CALLS: Final = 64
_WINDOW_BYTES: Final = 4 << 20
"""What a participant may send ahead of what is written down: 40 MiB each second over a way of 100 ms."""

_OPTIONS: Final = (
    # Without this, two processes may listen on one port and neither knows.
    ("grpc.so_reuseport", 0),
    # Else the window grows with the speed of the sender, and with it what lies in memory.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", _WINDOW_BYTES),
)


class ParticipantPort:
    """A port that is opened for a computation and closed after it, any number of times.

    Args:
        endpoint: Where participants connect.
        attest: Gives evidence for attested connections; None when the VM has none.
        folder: Of the agent's user alone, for what stands between such connections and gRPC.
    """

    def __init__(self, endpoint: Endpoint, attest: Attest | None, folder: Path) -> None:
        self._endpoint = endpoint
        self._attest = attest
        self._folder = folder
        self._server: grpc.aio.Server | None = None
        self._front: AttestedFront | None = None

    async def open(self, service: AgentServiceServicer, security: PortSecurity | None) -> None:
        """Serve participants; returns when they can connect.

        Args:
            service: Answers them.
            security: The TLS; None for a plain port, and attested only where there is evidence.

        Raises:
            Conflict: The address is taken or not this machine's, or the TLS files are not accepted.
        """
        server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=_MOST_CALLS)
        add_AgentServiceServicer_to_server(service, server)
        health = health_aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        try:
            self._front = self._bind(server, security)
        except (RuntimeError, OSError) as error:
            raise Conflict(
                f"the port {self._endpoint} cannot be opened for participants",
                next_step="Free the address, or check the TLS files of the computation.",
            ) from error
        await health.set(HEALTH_SERVICE, HealthCheckResponse.SERVING)
        await server.start()
        if self._front is not None:
            self._front.start()
        self._server = server

    async def close(self, grace_seconds: float) -> None:
        """Serve nobody any more; calls under way have a while to end."""
        front, self._front = self._front, None
        if front is not None:
            front.stop_accepting()
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(grace_seconds)
        if front is not None:
            await asyncio.to_thread(front.close)

    def _bind(self, server: grpc.aio.Server, security: PortSecurity | None) -> AttestedFront | None:
        if security is None:
            server.add_insecure_port(str(self._endpoint))
            return None
        if security.is_attested:
            assert self._attest is not None, "a port is attested only where there is evidence"
            front = AttestedFront(self._endpoint, security, self._attest, self._folder)
            try:
                server.add_insecure_port(front.inner_target)
            except RuntimeError:
                front.stop_accepting()
                front.close()
                raise
            return front
        credentials = grpc.ssl_server_credentials(
            [(security.key, security.certificate)],
            root_certificates=security.client_ca,
            require_client_auth=security.client_ca is not None,
        )
        server.add_secure_port(str(self._endpoint), credentials)
        return None
