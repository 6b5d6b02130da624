"""What most tests of the agent do: begin a computation, upload what it needs, read its result."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prism_iac.agent import AgentClient, AlgorithmKind, ClientTls
from prism_iac.pki import KeyPair
from prism_iac.wire.cvms_pb2 import AgentConfig
from tests.contract.agent.control import PATIENCE_SECONDS, Control
from tests.contract.agent.vm import PLAIN, Vm, manifest


@dataclass
class Scene:
    """A connected agent, its Prism, and a participant who has every role."""

    vm: Vm
    control: Control
    key: KeyPair
    folder: Path

    def begin(
        self,
        algorithm: bytes,
        datasets: Mapping[str, bytes] | None = None,
        *,
        id_: str = "c-1",
        config: AgentConfig | None = None,
    ) -> None:
        """Write the files, send the manifest, and see it accepted."""
        (self.folder / "algorithm").write_bytes(algorithm)
        for name, data in (datasets or {}).items():
            (self.folder / name).write_bytes(data)
        self.control.send_manifest(
            manifest(self.key, algorithm, tuple((datasets or {}).items()), id_=id_, config=config)
        )
        assert self.control.wait_for_run_response(id_) == ""

    def connect(self, tls: ClientTls = PLAIN) -> AgentClient:
        client = AgentClient.connect(self.vm.address, tls=tls)
        client.wait_until_serving(PATIENCE_SECONDS)
        return client

    def upload_algorithm(
        self, client: AgentClient, kind: AlgorithmKind = AlgorithmKind.BIN, arguments: Sequence[str] = ()
    ) -> None:
        client.upload_algorithm(
            self.folder / "algorithm", self.key.private_pem, kind=kind, arguments=arguments
        )

    def upload_dataset(self, client: AgentClient, name: str, *, decompress: bool = False) -> None:
        client.upload_dataset(self.folder / name, self.key.private_pem, decompress=decompress)

    def run(self, algorithm: bytes, *, id_: str = "c-1") -> None:
        """A whole run of a shell script without datasets, until its result is ready."""
        self.begin(algorithm, id_=id_)
        with self.connect() as client:
            self.upload_algorithm(client)
        self.control.wait_for(
            lambda message: (
                message.agent_event.computation_id == id_ and message.agent_event.status == "Ready"
            )
        )

    def fetch(self, client: AgentClient) -> bytes:
        """The bytes of the result archive."""
        return client.fetch_result(self.key.private_pem, self.folder / "result.zip").read_bytes()

    def result(self) -> dict[str, bytes]:
        """The files of the result."""
        with self.connect() as client:
            self.fetch(client)
        with zipfile.ZipFile(self.folder / "result.zip") as archive:
            return {name: archive.read(name) for name in archive.namelist()}
