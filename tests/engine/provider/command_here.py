"""A command provider for tests: what the real one would run over SSH, it runs on this machine, in the home `HOST_HOME`.

The engine finds it on PATH. Changed inputs are updates in place; which of them replace is what the program says.
"""

# ruff: noqa: N802  # the protocol names the methods

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

HOME = Path(os.environ["HOST_HOME"])


def changes(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from changes(before, after, f"{prefix}{key}.")
        elif isinstance(before, list) and before != after:
            yield f"{prefix}{key}[0]"
        elif before != after:
            yield f"{prefix}{key}"


def run(command: str, stdin: str) -> None:
    ended = subprocess.run(
        ["sh", "-c", command],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(HOME), "PATH": os.environ["PATH"]},
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr)


def make(inputs: Mapping[str, Any]) -> None:
    if "create" in inputs:
        run(inputs["create"], inputs.get("stdin", ""))
        return
    target = HOME / inputs["remotePath"]
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(inputs["source"]["path"], target)


class CommandHere(provider_pb2_grpc.ResourceProviderServicer):
    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.2.1")

    def CheckConfig(self, request: Any, _context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.ConfigureResponse(supportsPreview=False)

    def Check(self, request: Any, _context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, _context: Any) -> Any:
        old, new = (json_format.MessageToDict(item) for item in (request.old_inputs, request.news))
        paths = list(changes(old, new))
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        update = provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.UPDATE, inputDiff=True)
        return provider_pb2.DiffResponse(
            changes=some if paths else none,
            diffs=sorted({path.partition(".")[0].partition("[")[0] for path in paths}),
            detailedDiff=dict.fromkeys(paths, update),
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: Any) -> Any:
        self._make(request.properties, context)
        return provider_pb2.CreateResponse(id="here", properties=request.properties)

    def Update(self, request: Any, context: Any) -> Any:
        self._make(request.news, context)
        return provider_pb2.UpdateResponse(properties=request.news)

    def Delete(self, request: Any, context: Any) -> Any:
        properties = json_format.MessageToDict(request.properties)
        if "delete" in properties:
            self._do(context, lambda: run(properties["delete"], ""))
        return Empty()

    def Cancel(self, _request: Any, _context: Any) -> Any:
        return Empty()

    def _make(self, properties: struct_pb2.Struct, context: Any) -> None:
        self._do(context, lambda: make(json_format.MessageToDict(properties)))

    @staticmethod
    def _do(context: Any, work: Any) -> None:
        try:
            work()
        except RuntimeError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(CommandHere(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201  # what the engine waits for
    # The engine ends it.
    threading.Event().wait()


if __name__ == "__main__":
    main()
