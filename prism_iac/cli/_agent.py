"""The way from a command to the agent of a run: its address, and how the two know each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, TypeVar

import typer

from prism_iac.cli._completion import ComputationOption
from prism_iac.cli._files import in_file, read_certificates_pem, read_private_key_pem
from prism_iac.cli._output import say
from prism_iac.cli._prism import Prism
from prism_iac.errors import Conflict, Finding, InvalidInput

if TYPE_CHECKING:
    from types import TracebackType

    from prism_iac.agent import AgentClient, ClientTls, RequiredEvidence
    from prism_iac.model import TlsMode
    from prism_iac.prism import ComputationRecord

__all__ = ["ROOTS", "Agent", "ClientCertificate", "ClientKey", "Roots", "ServerCa", "tls_mode_of"]

_ADDRESS: Final = "AGENT_GRPC_URL"
_ATTESTED: Final = "AGENT_GRPC_ATTESTED_TLS"
ROOTS: Final = "PRISM_ATTESTATION_ROOTS"
"""Of this package alone: `cocos-cli` looks at no certificate of the platform."""
_SERVING_SECONDS: Final = 15.0
"""How long an agent may take to open its port after its run began."""
_MOST_RESTARTS: Final = 2

Result = TypeVar("Result")

Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help=f"Where the agent is; {_ADDRESS} says so where neither this nor --computation does.",
    ),
]
ServerCa = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        envvar="AGENT_GRPC_SERVER_CA_CERTS",
        help="The CA of the agent's certificate.",
    ),
]
ClientCertificate = Annotated[
    Path | None,
    typer.Option(
        "--client-cert",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        envvar="AGENT_GRPC_CLIENT_CERT",
        help="Your certificate, for mutual TLS.",
    ),
]
ClientKey = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        envvar="AGENT_GRPC_CLIENT_KEY",
        help="Its private key.",
    ),
]
AttestationPolicy = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        envvar="AGENT_GRPC_ATTESTATION_POLICY",
        help="What the agent's evidence must say, for attested TLS: JSON, CoRIM or signed CoRIM.",
    ),
]
Roots = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        envvar=ROOTS,
        help="Where its evidence must lead to (PEM), in place of the roots of AMD and Intel.",
    ),
]
EvidenceIn = Annotated[
    Literal["channel", "certificate"],
    typer.Option(
        help="Where the agent puts its evidence; agents of Cocos 0.8 put it into their certificate."
    ),
]


@dataclass(frozen=True)
class Agent:
    """The agent that a command talks to, as the user named it."""

    computation: ComputationOption = None
    address: Address = None
    server_ca: ServerCa = None
    client_certificate: ClientCertificate = None
    client_key: ClientKey = None
    attestation_policy: AttestationPolicy = None
    roots: Roots = None
    evidence_in: EvidenceIn = "channel"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open between commands."""

    @contextmanager
    def connected(self, prism: Prism, *, patience_seconds: float = _SERVING_SECONDS) -> Iterator[AgentClient]:
        """A client of the agent, once it serves.

        Raises:
            InvalidInput: There is no address, or a file that the TLS mode needs.
            AgentUnproven: It shows a certificate of another CA, or for another address.
            EvidenceRefused: It does not prove what the attestation policy says.
            AgentUnreachable: It does not serve.
        """
        from prism_iac.agent import AgentClient

        record = prism.computation(self.computation) if self.computation else None
        tls = self._tls(record)
        with AgentClient.connect(self._find_address(prism, record), tls=tls) as client:
            client.wait_until_serving(patience_seconds)
            yield client

    def perform(self, prism: Prism, act: Callable[[AgentClient], Result]) -> Result:
        """Act on the agent, from the beginning each time the connection breaks, thrice at most.

        Raises:
            PrismError: What `connected` raises, or the act.
        """
        from prism_iac.agent import AgentRefused, ConnectionBroke

        restarts = 0
        while True:
            with self.connected(prism) as client:
                try:
                    return act(client)
                except ConnectionBroke as error:
                    if restarts == _MOST_RESTARTS:
                        raise
                    restarts += 1
                    say(f"{error.message}; beginning again")
                except AgentRefused as error:
                    if restarts:
                        error.next_step = (
                            "What was sent before the connection broke may have arrived: look at the "
                            f"computation's events. Else: {error.next_step}"
                        )
                    raise

    def _find_address(self, prism: Prism, record: ComputationRecord | None) -> str:
        if self.address:
            return self.address
        if record is not None:
            run = prism.run_of(record)
            if run.agent_address:
                return run.agent_address
            raise Conflict(
                f'Prism does not know where the agent of run {run.number} of "{record.name}" is',
                next_step="Say --address HOST:PORT.",
            )
        if address := os.environ.get(_ADDRESS):
            return address
        raise InvalidInput(
            [
                Finding(
                    path="--computation",
                    message="no agent is named",
                    fix=f"Say --computation NAME or --address HOST:PORT, or set {_ADDRESS}.",
                )
            ]
        )

    def _tls(self, record: ComputationRecord | None) -> ClientTls:
        from prism_iac.agent import ClientTls
        from prism_iac.model import TlsMode

        server_ca = read_certificates_pem(self.server_ca) if self.server_ca else None
        certificate = read_certificates_pem(self.client_certificate) if self.client_certificate else None
        key = read_private_key_pem(self.client_key) if self.client_key else None
        required = self._required_evidence()
        if record is None:
            mode = self._mode_of_files()
        else:
            mode = tls_mode_of(record)
            if mode is TlsMode.NONE and server_ca is not None:
                # Who names a CA wants to know the agent, whatever Prism says.
                raise Conflict(
                    f'the agent of "{record.name}" has no TLS, so the CA that you name proves nothing',
                    where=str(self.server_ca),
                    next_step="Do not name it if that is meant to be, nor AGENT_GRPC_SERVER_CA_CERTS.",
                )
            if not mode.is_attested and self.attestation_policy is not None:
                raise Conflict(
                    f'the agent of "{record.name}" proves nothing of its VM in the TLS mode {mode}',
                    where=str(self.attestation_policy),
                    next_step="Do not name a policy if that is meant to be, nor AGENT_GRPC_ATTESTATION_POLICY.",
                )
            if server_ca is None and record.agent_config and record.agent_config.server_ca_file:
                server_ca = record.agent_config.server_ca_file.encode()
        try:
            return ClientTls(
                mode,
                server_ca=server_ca,
                client_certificate=certificate,
                client_key=key,
                required_evidence=required,
            )
        except InvalidInput as error:
            raise InvalidInput(
                Finding(
                    path=_OPTIONS[finding.path],
                    message=finding.message,
                    fix=f"Name the file, or run `{_env_command(record)}` first.",
                )
                for finding in error.findings
            ) from error

    def _required_evidence(self) -> RequiredEvidence | None:
        from prism_iac.agent import EvidencePlace, RequiredEvidence
        from prism_iac.attestation.policy import PolicyFile

        if self.attestation_policy is None:
            return None
        try:
            policy = PolicyFile.parse(self.attestation_policy.read_bytes()).document
        except InvalidInput as error:
            raise InvalidInput(in_file(error.findings, self.attestation_policy)) from error
        roots = read_certificates_pem(self.roots) if self.roots else None
        return RequiredEvidence(policy, roots, place=EvidencePlace(self.evidence_in))

    def _mode_of_files(self) -> TlsMode:
        """The mode that the files mean, as the field's command line reads them (cocos-grpc.md section 7.2)."""
        from prism_iac.model import TlsMode

        is_attested = os.environ.get(_ATTESTED, "").lower() == "true"
        if is_attested or self.attestation_policy is not None:
            return TlsMode.MATLS if self.client_certificate else TlsMode.ATLS
        if self.client_certificate or self.client_key:
            return TlsMode.MTLS
        return TlsMode.TLS if self.server_ca else TlsMode.NONE


_OPTIONS: Final = {
    "server_ca": "--server-ca",
    "client_certificate": "--client-cert",
    "client_key": "--client-key",
    "required_evidence": "--attestation-policy",
}
"""The option of each file that a TLS mode needs."""


def tls_mode_of(record: ComputationRecord) -> TlsMode:
    """The TLS mode of a computation's agent.

    Raises:
        Conflict: Its files mean none.
    """
    mode = record.agent_config.tls_mode if record.agent_config else None
    if mode is None:
        raise Conflict(
            f'the files of the computation "{record.name}" mean no TLS mode',
            next_step="Give its agent the files of one mode, or none.",
        )
    return mode


def _env_command(record: ComputationRecord | None) -> str:
    return f'eval "$(prism-iac env {record.name if record else "COMPUTATION"} --files DIR)"'
