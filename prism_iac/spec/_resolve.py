"""Turns a draft without findings into a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from prism_iac.errors import Defect
from prism_iac.model import AGENT_TLS_FIELDS, AssetKind, Location
from prism_iac.model.resources import (
    Approval,
    CertificateSettings,
    Participant,
    PolicyLaunch,
    PolicySettings,
    VmSettings,
)
from prism_iac.model.stack import (
    TABLES,
    AgentEntry,
    AssetEntry,
    ComputationEntry,
    ParticipantEntry,
    PolicyEntry,
    PromotionEntry,
    StackFile,
    VmEntry,
    parse_secret,
)
from prism_iac.pki import parse_public_key
from prism_iac.spec._draft import Draft
from prism_iac.spec._expand import Expansion
from prism_iac.spec._policy_files import LAUNCH_FILES, policy_path
from prism_iac.spec._stack import (
    Stack,
    StackAgent,
    StackAlgorithm,
    StackAsset,
    StackCertificates,
    StackComputation,
    StackGrant,
    StackParticipant,
    StackPolicy,
    StackPromotion,
    StackVm,
)
from prism_iac.spec._tls import mode_of
from prism_iac.spec._upload import remote_source, runtime_of, upload_name

__all__ = ["resolve"]

E = TypeVar("E")
S = TypeVar("S")


def resolve(draft: Draft, files: tuple[Path, ...], expansion: Expansion) -> Stack:
    """The stack that a draft describes.

    Args:
        draft: It was checked and nothing was found.
        files: The files that were read.
        expansion: What they come to.
    """
    if draft.header is None:
        raise Defect("a draft without a header has no findings")
    return _Resolver(draft).stack(files, draft.header, expansion)


class _Resolver:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._participants = _table(draft.participants, self._participant)
        self._assets = _table(draft.assets, self._asset)
        self._certificates = _table(draft.certificates, self._bundle)
        self._vms = _table(draft.vms, self._vm)
        self._policies = _table(draft.attestation_policies, self._policy)

    def stack(self, files: tuple[Path, ...], header: StackFile, expansion: Expansion) -> Stack:
        return Stack(
            files=files,
            environment=header.environment,
            endpoint=header.endpoint,
            workspace=header.workspace,
            locked=header.locked,
            promotion=self._promotion(header.promotion) if header.promotion else None,
            participants=self._participants,
            assets=self._assets,
            certificates=self._certificates,
            attestation_policies=self._policies,
            vms=self._vms,
            computations=_table(self._draft.computations, self._computation),
            declared=header.model_copy(update={table: getattr(self._draft, table) for table in TABLES}),
            _expansion=expansion,
        )

    def _promotion(self, entry: PromotionEntry) -> StackPromotion:
        return StackPromotion(
            approvals=entry.approvals,
            approvers=tuple(self._participants[name] for name in entry.approvers),
            platform_key=self._public_key(("promotion", "platform_key"), entry.platform_key),
        )

    def _participant(self, name: str, entry: ParticipantEntry) -> StackParticipant:
        location = ("participants", name, "public_key")
        return StackParticipant(
            name=name,
            user=entry.user,
            public_key=self._public_key(location, entry.public_key),
            public_key_file=self._path(location, entry.public_key),
        )

    def _asset(self, name: str, entry: AssetEntry) -> StackAsset:
        location = ("assets", name)
        is_algorithm = entry.kind is AssetKind.ALGORITHM
        return StackAsset(
            name=name,
            kind=entry.kind,
            provider=self._participants[entry.provider],
            description=entry.description or f"{entry.kind.capitalize()} {name}",
            file=self._path((*location, "file"), entry.file),
            checksum=entry.checksum,
            file_name=upload_name(entry),
            mime_type=entry.mime_type,
            sample_file=self._path((*location, "sample_file"), entry.sample_file),
            algorithm=self._algorithm(location, entry) if is_algorithm else None,
            source=remote_source(entry),
        )

    def _algorithm(self, location: Location, entry: AssetEntry) -> StackAlgorithm:
        return StackAlgorithm(
            runtime=runtime_of(entry),
            arguments=entry.arguments,
            requirements=self._path((*location, "requirements"), entry.requirements),
        )

    def _bundle(self, name: str, settings: CertificateSettings) -> StackCertificates:
        location = ("certificates", name)
        values = settings.model_dump(exclude_none=True)
        for field in ("server_request", "client_request"):
            if field in values:
                values[field] = self._text(location, field, values[field])
        given = values.get("files", {})
        secrets = {field: source for field, text in given.items() if (source := parse_secret(text))}
        if given:
            values["files"] = {
                field: self._text((*location, "files"), field, text)
                for field, text in given.items()
                if field not in secrets
            }
        return StackCertificates(name, CertificateSettings.model_validate(values), MappingProxyType(secrets))

    def _vm(self, name: str, entry: VmEntry) -> StackVm:
        values = entry.model_dump(include=set(VmSettings.model_fields))
        if entry.manager_tls is not None:
            location = ("vms", name, "manager_tls")
            values["manager_tls"] = {
                field: self._text(location, field, text) for field, text in values["manager_tls"].items()
            }
        if entry.qemu is not None:
            location = ("vms", name, "qemu")
            values["qemu"] |= {
                field: self._text(location, field, text) for field, text in entry.qemu.files.items()
            }
        return StackVm(name, VmSettings.model_validate(values), entry.attestation_policy, entry.name)

    def _policy(self, name: str, entry: PolicyEntry) -> StackPolicy:
        location = ("attestation_policies", name)
        settings = PolicySettings.model_validate(
            entry.model_dump(include=set(PolicySettings.model_fields), exclude={"launch", "reference_values"})
            | {"reference_values": self._text(location, "reference_values", entry.reference_values)}
            | {"launch": entry.launch and self._launch((*location, "launch"), entry.launch)}
            | {"approvals": entry.approvals and [self._approval(item) for item in entry.approvals]}
        )
        return StackPolicy(
            name=name,
            path=str(policy_path(name, entry)),
            vm=self._vms[entry.vm] if entry.vm else None,
            settings=settings,
            signed_by=self._public_key((*location, "signed_by"), entry.signed_by),
            manifest=entry.manifest,
        )

    def _approval(self, approval: Approval) -> dict[str, Any]:
        return approval.model_dump() | {"by": self._participants[approval.by].user}

    def _launch(self, location: Location, launch: PolicyLaunch) -> dict[str, Any]:
        files = {name: self._text(location, name, getattr(launch, name)) for name in LAUNCH_FILES}
        return launch.model_dump() | files

    def _computation(self, name: str, entry: ComputationEntry) -> StackComputation:
        return StackComputation(
            name=name,
            description=entry.description,
            algorithm=self._assets[entry.algorithm],
            datasets=tuple(self._assets[dataset] for dataset in entry.datasets),
            result_consumers=tuple(self._participants[consumer] for consumer in entry.result_consumers),
            agent=self._agent(("computations", name, "agent"), entry.agent),
            grants=tuple(self._grant(who, actions) for who, actions in entry.participants.items()),
            vm=self._vms[entry.vm] if entry.vm else None,
            run=entry.run,
            triggers=MappingProxyType(entry.triggers),
            wait=entry.wait,
            timeout=entry.timeout,
            stop_on_delete=entry.stop_on_delete,
            export_directory=entry.export_directory,
        )

    def _agent(self, location: Location, entry: AgentEntry) -> StackAgent:
        mode = mode_of(entry, self._draft.certificates)
        if mode is None:
            raise Defect(f"the agent at {self._draft.place(location)} has no TLS mode and no finding")
        files = {field: self._path((*location, field), getattr(entry, field)) for field in AGENT_TLS_FIELDS}
        return StackAgent(
            tls=mode,
            log_level=entry.log_level,
            certificates=self._certificates[entry.certificates] if entry.certificates else None,
            pem_files=MappingProxyType({name: path for name, path in files.items() if path is not None}),
            policy=self._policies[entry.attestation_policy] if entry.attestation_policy else None,
        )

    def _grant(self, name: str, actions: tuple[str, ...]) -> StackGrant:
        participant = self._participants[name]
        joined = Participant.model_validate(
            {"workspace": "any", "computation": "any", "user": participant.user, "actions": actions}
        )
        return StackGrant(participant=participant, actions=joined.actions)

    def _public_key(self, location: Location, text: str | None) -> str | None:
        """The key in a file, PEM with the label `PUBLIC KEY`."""
        file = self._path(location, text)
        if file is None:
            return None
        key = load_der_public_key(
            parse_public_key(self._draft.inputs.read_key_file(file, as_written=str(text)))
        )
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")

    def _text(self, location: Location, field: str, text: str | None) -> str | None:
        path = self._path((*location, field), text)
        return str(path) if path else None

    def _path(self, location: Location, text: str | None) -> Path | None:
        return self._draft.path(location, text) if text else None


def _table(entries: Mapping[str, E], build: Callable[[str, E], S]) -> Mapping[str, S]:
    return MappingProxyType({name: build(name, entry) for name, entry in entries.items()})
