"""What people are told while the plugin works: lines that the engine shows beside the resource."""

from __future__ import annotations

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from prism_iac.provider.native._serving import current_urn

__all__ = ["Told"]


class Told:
    """The way to the engine's log.

    Args:
        address: Where the engine listens; empty where nobody does.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None

    def line(self, _name: str, line: str) -> None:
        """Show one line beside the resource that this thread serves."""
        if self._engine is not None:
            self._engine.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, urn=current_urn()))
