"""A stack: what a stack file says, with every reference resolved and every path absolute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prism_iac.errors import Finding
from prism_iac.model import Action, AlgorithmRuntime, AssetKind, Location, LogLevel, RemoteSource, TlsMode
from prism_iac.model.resources import CertificateSettings, PolicySettings, VmSettings
from prism_iac.model.stack import RunPolicy, SecretSource, StackFile
from prism_iac.spec._expand import Expansion
from prism_iac.spec._tree import Place, place_of, plain

__all__ = [
    "Stack",
    "StackAgent",
    "StackAlgorithm",
    "StackAsset",
    "StackCertificates",
    "StackComputation",
    "StackGrant",
    "StackParticipant",
    "StackPolicy",
    "StackPromotion",
    "StackVm",
]


@dataclass(frozen=True, slots=True)
class StackParticipant:
    """A user under the name that the stack calls them by.

    Attributes:
        public_key: PEM with the label `PUBLIC KEY`, whatever form the file has; None where they register
            a key themselves.
    """

    name: str
    user: str
    public_key: str | None
    public_key_file: Path | None


@dataclass(frozen=True, slots=True)
class StackAlgorithm:
    """How an agent runs an algorithm."""

    runtime: AlgorithmRuntime
    arguments: tuple[str, ...]
    requirements: Path | None


@dataclass(frozen=True, slots=True)
class StackAsset:
    """A dataset or an algorithm.

    Attributes:
        file: The input on this machine; None where it is elsewhere and `checksum` says what it is.
        checksum: SHA3-256 as stated, 64 hexadecimal characters; None where it is to be computed from `file`.
        file_name: The name that the upload must have, where it is known.
        algorithm: How it is run; None for a dataset.
        source: Where the agent fetches it; None where it waits for an upload.
    """

    name: str
    kind: AssetKind
    provider: StackParticipant
    description: str
    file: Path | None
    checksum: str | None
    file_name: str | None
    mime_type: str | None
    sample_file: Path | None
    algorithm: StackAlgorithm | None
    source: RemoteSource | None = None


@dataclass(frozen=True, slots=True)
class StackCertificates:
    """A bundle of keys and certificates.

    Attributes:
        secrets: Where the secrets among its `files` are, by field; the settings do not have them.
    """

    name: str
    settings: CertificateSettings
    secrets: Mapping[str, SecretSource]


@dataclass(frozen=True, slots=True)
class StackVm:
    """A confidential VM.

    Attributes:
        policy: The name of the declared policy that its evidence must meet.
        name_at_prism: As it is declared; None where it follows from `name`.
    """

    name: str
    settings: VmSettings
    policy: str | None = None
    name_at_prism: str | None = None


@dataclass(frozen=True, slots=True)
class StackPolicy:
    """An attestation policy; `vm` is set when it comes from one.

    Attributes:
        path: The file to write, relative to the project folder.
        settings: What is declared; its files are written as absolute paths.
        manifest: The computation whose manifest it expects in a register of the TPM.
        signed_by: The public key of whoever signs the reference values, PEM.
    """

    name: str
    path: str
    vm: StackVm | None
    settings: PolicySettings
    signed_by: str | None
    manifest: str | None = None


@dataclass(frozen=True, slots=True)
class StackAgent:
    """How a computation's agent is secured.

    Attributes:
        tls: The mode, always known.
        certificates: The bundle that fills the fields of the mode; None where files do, or none are needed.
        pem_files: The PEM files, by field of an agent configuration; empty with a bundle.
        policy: What participants hold the evidence against; set for the attested modes.
    """

    tls: TlsMode
    log_level: LogLevel | None
    certificates: StackCertificates | None
    pem_files: Mapping[str, Path]
    policy: StackPolicy | None


@dataclass(frozen=True, slots=True)
class StackGrant:
    """Actions of a participant besides those that a computation's definition gives; sorted, with `view`."""

    participant: StackParticipant
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class StackComputation:
    """A computation; lists are in the order of the file, without repetition.

    Attributes:
        export_directory: Relative to the project folder.
    """

    name: str
    description: str
    algorithm: StackAsset
    datasets: tuple[StackAsset, ...]
    result_consumers: tuple[StackParticipant, ...]
    agent: StackAgent
    grants: tuple[StackGrant, ...]
    vm: StackVm | None
    run: RunPolicy
    triggers: Mapping[str, str]
    wait: bool
    timeout: str
    stop_on_delete: bool
    export_directory: str

    @property
    def participants(self) -> tuple[StackParticipant, ...]:
        """Everyone who brings something to it or reads its result, each once."""
        providers = (asset.provider for asset in (self.algorithm, *self.datasets))
        return tuple(dict.fromkeys((*providers, *self.result_consumers)))


@dataclass(frozen=True, slots=True)
class StackPromotion:
    """Who signs and approves what an environment is given.

    Attributes:
        approvals: How many of the approvers it takes.
        approvers: They have public keys.
        platform_key: Signs promotions besides the participants' keys; PEM.
    """

    approvals: int
    approvers: tuple[StackParticipant, ...]
    platform_key: str | None


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that one environment has; tables are in the order of the file, by name.

    Attributes:
        files: What was read, the file that extends the others last.
        endpoint: `embedded`, or a base URL.
        locked: Whether an update needs the lock file.
        declared: The same as a document, references by name.
    """

    files: tuple[Path, ...]
    environment: str
    endpoint: str
    workspace: str
    locked: bool
    promotion: StackPromotion | None
    participants: Mapping[str, StackParticipant]
    assets: Mapping[str, StackAsset]
    certificates: Mapping[str, StackCertificates]
    attestation_policies: Mapping[str, StackPolicy]
    vms: Mapping[str, StackVm]
    computations: Mapping[str, StackComputation]
    declared: StackFile = field(repr=False, compare=False)
    _expansion: Expansion = field(repr=False, compare=False)

    def written(self) -> dict[str, Any]:
        """Everything as it is written, with what the file extends and includes joined in: dicts, lists and scalars."""
        values: dict[str, Any] = plain(self._expansion.root)
        return values

    def origin(self, *location: int | str) -> Place:
        """Where a value was written, such as `origin("vms", "trainer", "vcpus")`.

        A value that was left out has the place of the nearest thing around it.
        """
        path: Location = location
        return place_of(self._expansion.root, path)

    def told_once(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Findings about entries, sorted; what is the template's is told once, with where it is used."""
        return tuple(sorted(self._expansion.told_once(findings)))
