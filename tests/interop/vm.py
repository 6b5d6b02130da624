"""A VM with the programs of Cocos in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.contract.agent.vm import eventually
from tests.interop import attestation_agent
from tests.interop.network import Machine
from tests.interop.programs import Programs

AGENT_PORT = 7002
_FILES = {
    "AGENT_CVM_GRPC_CLIENT_CERT": "certificate",
    "AGENT_CVM_GRPC_CLIENT_KEY": "private_key",
    "AGENT_CVM_GRPC_SERVER_CA_CERTS": "ca",
}


class CocosVm:
    """The agent and what stands beside it.

    Attributes:
        cvm: Its id at Prism.
    """

    def __init__(self, programs: Programs, machine: Machine, cvm: str) -> None:
        self.programs = programs
        self.machine = machine
        self.cvm = cvm

    @property
    def address(self) -> str:
        return f"{self.machine.address}:{AGENT_PORT}"

    def start(self, control_address: str, files: Mapping[str, bytes]) -> None:
        """Start everything in its order (cocos-grpc.md section 11.2).

        Args:
            control_address: The control stream's server.
            files: PEM, by the names that Prism gives them; none for a connection in clear.
        """
        variables = {"AGENT_CVM_GRPC_URL": control_address, "AGENT_CVM_ID": self.cvm}
        for variable, name in _FILES.items() if files else ():
            path = self.machine.folder / f"{name}.pem"
            path.write_bytes(files[name])
            variables[variable] = str(path)
        if self.programs.has_services:
            self._start_services(variables)
        self._variables = variables
        self._agent = self.machine.start(self.programs.folder / "agent", **variables)

    def restart_agent(self) -> None:
        """Kill the agent and start it as before."""
        self.machine.end(self._agent)
        self._agent = self.machine.start(self.programs.folder / "agent", **self._variables)

    def log(self, program: str = "agent") -> str:
        return (self.machine.folder / f"{program}.log").read_text(errors="replace")

    def _start_services(self, variables: Mapping[str, str]) -> None:
        self.machine.start(sys.executable, str(Path(attestation_agent.__file__)))
        eventually(lambda: _listens(self.machine, 50002))
        self.machine.start(self.programs.folder / "log-forwarder", **variables)
        self.machine.start(self.programs.folder / "computation-runner")
        self.machine.start(self.programs.folder / "attestation-service", USE_CC_ATTESTATION_AGENT="true")
        for name in ("log", "runner", "attestation"):
            socket = self.machine.path(f"/run/cocos/{name}.sock")
            eventually(socket.exists)


def _listens(machine: Machine, port: int) -> bool:
    tables = (Path(f"/proc/{machine.processes[0].pid}/net/{name}") for name in ("tcp", "tcp6"))
    listening = re.compile(rf":{port:04X} [0-9A-F]+:0000 0A ")
    return any(listening.search(table.read_text()) for table in tables)
