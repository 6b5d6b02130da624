"""The process of the plugin: a gRPC server on a port of its own that it tells the engine."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc

from prism_iac.provider._face import without_collections

__all__ = ["main"]

_WORKERS: Final = 128
"""How many calls are served at once; the engine's own `--parallel` decides how many there are."""

_LARGEST_MESSAGE_BYTES: Final = 400 * 1024 * 1024
"""What the engine itself takes (pulumi-provider.md section 1.4)."""


def main() -> None:
    """Serve until the engine ends the process or is gone."""
    # The engine gives it along with its secrets, which nothing that is started from here may inherit.
    os.environ.pop("PULUMI_CONFIG", None)
    with without_collections():
        from pulumi.runtime.proto import provider_pb2_grpc

        from prism_iac.provider._deployment import end_with_engine
        from prism_iac.provider.native._servicer import PrismServicer

    options = [
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
        ("grpc.max_send_message_length", _LARGEST_MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=_WORKERS), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(PrismServicer(_engine_address()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    end_with_engine()  # it may be killed before it asks for anything
    print(port, flush=True)  # noqa: T201  # the engine reads the port from the first line
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:
        server.stop(grace=None)


def _engine_address() -> str:
    """The last argument; none where somebody attaches the engine to a server that runs."""
    return sys.argv[-1] if len(sys.argv) > 1 and ":" in sys.argv[-1] else ""
