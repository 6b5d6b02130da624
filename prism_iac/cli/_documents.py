"""What `--json` prints: one class for each document.

Scripts rely on them: a field keeps its name and its type, and is always there. Times are RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import Any, TypedDict

__all__ = [
    "AppraisalDocument",
    "CalendarDocument",
    "CertificateDocument",
    "CheckDocument",
    "ClaimDocument",
    "ComputationDetails",
    "ComputationDocument",
    "DateDocument",
    "EventDocument",
    "EvidenceDocument",
    "FindingDocument",
    "ImportDocument",
    "InstanceDocument",
    "IssuedCertificateDocument",
    "LocalVmDocument",
    "LockDocument",
    "LogDocument",
    "MeasurementDocument",
    "MissingDocument",
    "OperationDocument",
    "OriginDocument",
    "OrphanDocument",
    "OrphansDocument",
    "PartDocument",
    "PolicyFileDocument",
    "RenderedManifestDocument",
    "RepairDocument",
    "ReportDocument",
    "RuleDocument",
    "RunDocument",
    "SettingDocument",
    "SignatureDocument",
    "TrialDocument",
    "TrustChangeDocument",
    "UnlistedDocument",
    "VmDetails",
    "VmDocument",
    "VmImageDocument",
]


class FindingDocument(TypedDict):
    """One thing that is wrong with a file."""

    file: str
    line: int
    column: int
    path: str
    message: str
    fix: str


class RuleDocument(TypedDict):
    """A rule that stacks are held against; `level` holds in an environment named prod."""

    name: str
    level: str
    parameters: dict[str, int]
    description: str


class IssuedCertificateDocument(TypedDict):
    """A certificate that Prism has issued for a VM; `expiry_time` is the revocation's once it is revoked."""

    serial_number: str
    vm: str
    revoked: bool
    expiry_time: str | None


class SettingDocument(TypedDict):
    """What one file says of a value; null where it removes it. The template that says it, and where it is used."""

    value: Any
    file: str
    line: int
    column: int
    template: str | None
    used_at: str | None


class OriginDocument(TypedDict):
    """Where a value of a stack comes from; the setting that counts is the last."""

    path: str
    settings: list[SettingDocument]


class DateDocument(TypedDict):
    """What happens when, to what; what is overdue has a date that is past."""

    at: str
    event: str
    of: str
    next_step: str


class CalendarDocument(TypedDict):
    """The dates of a number of days from a moment on, soonest first, and what could not be asked for them."""

    since: str
    days: int
    dates: list[DateDocument]
    left_out: list[str]


class CertificateDocument(TypedDict):
    """A certificate in a file.

    `days_left` is negative once it has ended; `signature` is null where the issuer's key hashes by itself, and
    `path_length` where a CA may have any number of others below it. `permitted` is all that a CA may certify, and
    empty where that is everything.
    """

    file: str
    subject: str
    issuer: str
    serial_number: str
    not_before: str
    not_after: str
    days_left: int
    key: str
    signature: str | None
    is_ca: bool
    path_length: int | None
    usages: list[str]
    dns_names: list[str]
    ip_addresses: list[str]
    uris: list[str]
    permitted: list[str]
    sha256: str


class InstanceDocument(TypedDict):
    """A running embedded backend."""

    pid: int
    started_at: str
    version: str
    rest_url: str
    control_address: str
    insecure_address: str


class ComputationDocument(TypedDict):
    """A computation in a list."""

    id: str
    name: str
    description: str
    status: str | None
    owner: str
    created_at: str | None


class RunDocument(TypedDict):
    """A run; `vm` is the id of its VM."""

    id: str
    number: int | None
    status: str | None
    vm: str
    agent_address: str | None
    start_time: str | None
    end_time: str | None


class MissingDocument(TypedDict):
    """What is missing for a run: `keys` are ids of users without a public key."""

    keys: list[str]
    hashes: list[str]
    info: list[str]


class ComputationDetails(ComputationDocument):
    """A computation with its latest run; `tls` is its TLS mode."""

    tls: str | None
    log_level: str | None
    run: RunDocument | None
    missing: MissingDocument


class EventDocument(TypedDict):
    """One step of a run; `details` is what the agent told besides, null where that is no JSON."""

    id: str
    event_type: str
    status: str
    run_id: str
    originator: str
    timestamp: str | None
    details: Any


class LogDocument(TypedDict):
    """One entry of an agent's log."""

    run_id: str
    level: str | None
    message: str
    timestamp: str | None


class VmDocument(TypedDict):
    """A confidential VM."""

    id: str
    cvm_id: str
    name: str
    status: str | None
    state: str | None
    provider: str
    platform: str
    vcpus: int | None
    agent_address: str | None
    agent_log_level: str | None
    created_at: str | None


class LocalVmDocument(TypedDict):
    """The process of this machine that a VM is."""

    pid: int
    running: bool
    folder: str


class VmImageDocument(TypedDict):
    """A guest image; `sha256` by file, `packages` the versions of Debian's."""

    kernel: str
    initrd: str
    cmdline: str
    sha256: dict[str, str]
    packages: dict[str, str]


class VmDetails(VmDocument):
    """A confidential VM with its process, where it is one of this machine."""

    local: LocalVmDocument | None


class CheckDocument(TypedDict):
    """One check of `doctor` or `diagnose`; `verdict` is ok, failed or skipped."""

    name: str
    verdict: str
    evidence: str
    cause: str
    fix: str


class ReportDocument(TypedDict):
    """What `doctor` or `diagnose` found; `ok` when no check failed."""

    ok: bool
    checks: list[CheckDocument]


class PartDocument(TypedDict):
    """One thing that went into a measurement; its digest is hexadecimal, or empty where `detail` says all."""

    name: str
    detail: str
    digest: str


class MeasurementDocument(TypedDict):
    """A launch measurement; its digest is written as was asked."""

    mode: str
    digest: str
    parts: list[PartDocument]


class SignatureDocument(TypedDict):
    """The signature of a policy; `holds` is null when no key was given to verify it."""

    algorithm: str
    signer: str
    holds: bool | None


class PolicyFileDocument(TypedDict):
    """A policy; `name` is that of a CoRIM, `unknown` are fields that mean nothing here."""

    form: str
    platform: str
    name: str | None
    signature: SignatureDocument | None
    unknown: list[str]
    policy: Any


class RenderedManifestDocument(TypedDict):
    """A manifest before it exists; what depends on an id that is not known is null. `pcr16` is by bank."""

    name: str
    manifest: Any
    portable_sha3_256: str
    manifest_sha3_256: str | None
    pcr16: dict[str, str] | None


class TrialDocument(TypedDict):
    """One claim made worse; `field` is that of policy files, empty where none speaks of it."""

    claim: str
    change: str
    field: str
    noticed_by: list[str]
    accepted: bool


class TrustChangeDocument(TypedDict):
    """One field of a policy that changed; `trust` is tighter, looser or incomparable."""

    field: str
    trust: str
    old: str
    new: str


class EvidenceDocument(TypedDict):
    """What evidence says, by section; bytes are hexadecimal."""

    platform: str
    claims: dict[str, dict[str, str]]


class ClaimDocument(TypedDict):
    """One check of evidence; its outcome is pass, fail, warn or not asked, and then `expected` is empty."""

    claim: str
    outcome: str
    expected: str
    found: str


class AppraisalDocument(TypedDict):
    """Whether evidence meets a policy; `simulated` is null where it does not."""

    accepted: bool
    platform: str
    simulated: bool | None
    checks: list[ClaimDocument]


class ImportDocument(TypedDict):
    """What an import did, or would do where it is a dry run; errors and warnings are counted."""

    dry_run: bool
    computations: int
    made: int
    resumed: int
    there_already: int
    assets_made: int
    errors: int
    warnings: int


class LockDocument(TypedDict):
    """A lock of a stack; `stale` when its process was one of this machine and is gone."""

    file: str
    pid: int
    user: str
    host: str
    since: str
    stale: bool


class OperationDocument(TypedDict):
    """An operation that was cut off: `creating`, `updating`, `deleting`, `reading` or `importing`.

    `kind` is null for a resource that is none of ours. `outcome` is `recorded`, `removed`, `dropped` or `left`.
    """

    urn: str
    operation: str
    kind: str | None
    name: str
    id: str | None
    outcome: str
    reason: str


class UnlistedDocument(TypedDict):
    """A machine that a manager without a list may have made for the VM `name`; it ends until then."""

    name: str
    manager: str
    until: str


class RepairDocument(TypedDict):
    """What becomes of the operations of a stack; `done` when it was written."""

    stack: str
    done: bool
    locks: list[LockDocument]
    operations: list[OperationDocument]
    unlisted: list[UnlistedDocument]


class OrphanDocument(TypedDict):
    """An object that carries a mark and is in no state; `stack` and `resource` are null where it is of no given stack."""

    kind: str
    id: str
    name: str
    workspace: str | None
    stack: str | None
    resource: str | None


class OrphansDocument(TypedDict):
    """What is in no state, and what may exist besides."""

    orphans: list[OrphanDocument]
    unlisted: list[UnlistedDocument]
