"""Generates the protocol code of `prism_iac/wire` from its .proto files at build time.

The generated modules are build output: they are not in version control and nobody edits them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GenerateWire(BuildHookInterface):  # type: ignore[type-arg]  # the hook reads no builder configuration
    """Runs protoc over every .proto file of the wire room."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # the hook's signature
        """Write `*_pb2.py`, `*_pb2_grpc.py` and their stubs beside the .proto files.

        Raises:
            RuntimeError: protoc refused a file; its own message is on standard error.
        """
        import grpc_tools  # present in the build environment only
        from grpc_tools import protoc  # present in the build environment only

        root = Path(self.root)
        protos = sorted(str(path.relative_to(root)) for path in (root / "prism_iac" / "wire").glob("*.proto"))
        well_known = Path(grpc_tools.__file__).parent / "_proto"
        outputs = [f"--{kind}_out={root}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
        code = protoc.main(["protoc", f"-I{root}", f"-I{well_known}", *outputs, *protos])
        if code != 0:
            raise RuntimeError(f"protoc ended with code {code} for {', '.join(protos)}")
