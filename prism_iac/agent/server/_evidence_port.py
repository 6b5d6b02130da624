"""Where whoever keeps the VM asks for fresh evidence at any time, between computations too.

The participants' port is open during a computation only (cocos-grpc.md section 11.4). This one is a socket in a
folder of the VM, as a host reaches its guests over a device, or an address of the network that the VM has with its
host alone; it answers `Attestation` and nothing else.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

import grpc
import structlog

from prism_iac.agent._socket import socket_target
from prism_iac.agent.server._service import EvidenceService
from prism_iac.agent.server._settings import Endpoint
from prism_iac.attestation import SimulatedGuest
from prism_iac.wire.agent_pb2 import AttestationRequest, AttestationResponse

__all__ = ["EvidencePort"]

_MOST_CALLS: Final = 4

_log = structlog.get_logger(__name__)


class EvidencePort:
    """Open as long as the agent runs.

    Args:
        place: A socket or an address; None when nobody asked for one.
        guest: What the VM proves itself with; None when it cannot.
    """

    def __init__(self, place: Path | Endpoint | None, guest: SimulatedGuest | None) -> None:
        self._place = place
        self._guest = guest
        self._server: grpc.aio.Server | None = None
        self._open = ExitStack()

    async def open(self) -> None:
        """Answer from here on; an agent that cannot does its work without."""
        if self._place is None or self._guest is None:
            return
        server = grpc.aio.server(maximum_concurrent_rpcs=_MOST_CALLS)
        # Evidence for a nonce of 64 bytes could be that of anybody's attested connection.
        server.add_generic_rpc_handlers((_only_evidence(EvidenceService(self._guest, is_attested=True)),))
        try:
            server.add_insecure_port(self._target(self._place))
        except (OSError, RuntimeError) as error:
            self._open.close()
            _log.warning("no evidence between computations", reason=str(error))
            return
        await server.start()
        self._server = server

    def _target(self, place: Path | Endpoint) -> str:
        return self._open.enter_context(socket_target(place)) if isinstance(place, Path) else str(place)

    async def close(self) -> None:
        """Answer no more."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(None)
        self._open.close()


def _only_evidence(service: EvidenceService) -> grpc.GenericRpcHandler:
    attestation = grpc.unary_stream_rpc_method_handler(
        service.Attestation,
        request_deserializer=AttestationRequest.FromString,
        response_serializer=AttestationResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler("agent.AgentService", {"Attestation": attestation})
