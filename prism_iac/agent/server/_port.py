"""The port where participants of a computation connect.

Source: cocos-grpc.md sections 2.2 and 11.4.
"""

from __future__ import annotations

from typing import Final

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_health.v1.health_pb2 import HealthCheckResponse

from prism_iac.agent._protocol import HEALTH_SERVICE
from prism_iac.agent.server._security import PortSecurity
from prism_iac.agent.server._settings import Endpoint
from prism_iac.errors import Conflict
from prism_iac.wire.agent_pb2_grpc import AgentServiceServicer, add_AgentServiceServicer_to_server

__all__ = ["ParticipantPort"]

_MOST_CALLS: Final = 64
_OPTIONS: Final = (
    # Without this, two processes may listen on one port and neither knows.
    ("grpc.so_reuseport", 0),
)


class ParticipantPort:
    """A port that is opened for a computation and closed after it, any number of times."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._server: grpc.aio.Server | None = None

    async def open(self, service: AgentServiceServicer, security: PortSecurity | None) -> None:
        """Serve participants; returns when they can connect.

        Raises:
            Conflict: The address is taken or not this machine's, or the TLS files are not accepted.
        """
        server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=_MOST_CALLS)
        add_AgentServiceServicer_to_server(service, server)
        health = health_aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        try:
            self._bind(server, security)
        except RuntimeError as error:
            raise Conflict(
                f"the port {self._endpoint} cannot be opened for participants",
                next_step="Free the address, or check the TLS files of the computation.",
            ) from error
        await health.set(HEALTH_SERVICE, HealthCheckResponse.SERVING)
        await server.start()
        self._server = server

    async def close(self, grace_seconds: float) -> None:
        """Serve nobody any more; calls under way have a while to end."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(grace_seconds)

    def _bind(self, server: grpc.aio.Server, security: PortSecurity | None) -> None:
        if security is None:
            server.add_insecure_port(str(self._endpoint))
            return
        credentials = grpc.ssl_server_credentials(
            [(security.key, security.certificate)],
            root_certificates=security.client_ca,
            require_client_auth=security.client_ca is not None,
        )
        server.add_secure_port(str(self._endpoint), credentials)
