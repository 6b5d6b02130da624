"""The reference of the native face's figures: a provider plugin whose resources do nothing.

A project starts this file as `pulumi-resource-noop`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import ResourceProviderServicer, plugin_pb2, provider_pb2, provider_pb2_grpc

__all__ = ["main"]


class _Noop(ResourceProviderServicer):
    """Keeps inputs as outputs."""

    def GetPluginInfo(self, _request: Any, _context: Any) -> plugin_pb2.PluginInfo:  # noqa: N802
        return plugin_pb2.PluginInfo(version="0.1.0")

    def Configure(self, _request: Any, _context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def CheckConfig(self, request: Any, _context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: Any, _context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Check(self, request: Any, _context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, _context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        is_same = request.old_inputs == request.news
        changes = provider_pb2.DiffResponse.DIFF_NONE if is_same else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=changes)

    def Create(self, request: Any, _context: Any) -> provider_pb2.CreateResponse:  # noqa: N802
        return provider_pb2.CreateResponse(
            id="" if request.preview else "noop", properties=request.properties
        )

    def Read(self, request: Any, _context: Any) -> provider_pb2.ReadResponse:  # noqa: N802
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, _request: Any, _context: Any) -> Empty:  # noqa: N802
        return Empty()

    def Cancel(self, _request: Any, _context: Any) -> Empty:  # noqa: N802
        return Empty()


def main() -> None:
    """Serve until the engine ends the process."""
    server = grpc.server(ThreadPoolExecutor(max_workers=128))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Noop(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
