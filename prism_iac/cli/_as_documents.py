"""Records as the documents that `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prism_iac.cli._documents import (
    ComputationDetails,
    ComputationDocument,
    EventDocument,
    FindingDocument,
    InstanceDocument,
    IssuedCertificateDocument,
    LocalVmDocument,
    LogDocument,
    OriginDocument,
    ReportDocument,
    RuleDocument,
    RunDocument,
    VmDetails,
    VmDocument,
)
from prism_iac.cli._output import moment

if TYPE_CHECKING:
    from prism_iac.backend import Instance
    from prism_iac.cli._outcome import Outcome
    from prism_iac.errors import Finding
    from prism_iac.hypervisor import Vm
    from prism_iac.prism import (
        CertificateRecord,
        ComputationRecord,
        CvmRecord,
        DryRun,
        EventRecord,
        LogRecord,
        RunRecord,
    )
    from prism_iac.rules import Rule
    from prism_iac.spec import Origin

__all__ = [
    "computation_details",
    "computation_document",
    "event_document",
    "finding_document",
    "instance_document",
    "issued_document",
    "log_document",
    "origin_document",
    "report_document",
    "rule_document",
    "run_document",
    "vm_details",
    "vm_document",
]


def origin_document(origin: Origin) -> OriginDocument:
    """Where a value comes from, to print."""
    return {
        "path": origin.path,
        "settings": [
            {
                "value": item.value,
                "file": item.place.file,
                "line": item.place.line,
                "column": item.place.column,
                "template": item.template,
                "used_at": str(item.used_at) if item.used_at else None,
            }
            for item in origin.settings
        ],
    }


def issued_document(record: CertificateRecord) -> IssuedCertificateDocument:
    """A certificate that Prism has issued, to print."""
    return {
        "serial_number": record.serial_number,
        "vm": record.entity_id,
        "revoked": record.revoked,
        "expiry_time": moment(record.expiry_time),
    }


def finding_document(finding: Finding) -> FindingDocument:
    """A finding, to print."""
    return {
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "path": finding.path,
        "message": finding.message,
        "fix": finding.fix,
    }


def rule_document(rule: Rule) -> RuleDocument:
    """A rule, to print."""
    return {
        "name": rule.name,
        "level": rule.level,
        "parameters": dict(rule.parameters),
        "description": rule.description,
    }


def instance_document(instance: Instance) -> InstanceDocument:
    """A running backend, to print."""
    return {
        "pid": instance.pid,
        "started_at": instance.started_at,
        "version": instance.version,
        "rest_url": instance.rest_url,
        "control_address": instance.control_address,
        "insecure_address": instance.insecure_address,
    }


def computation_document(record: ComputationRecord) -> ComputationDocument:
    """A computation, to print."""
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "status": record.status,
        "owner": record.owner,
        "created_at": moment(record.created_at),
    }


def computation_details(
    record: ComputationRecord, run: RunRecord | None, missing: DryRun
) -> ComputationDetails:
    """A computation with its latest run and what is missing for the next one, to print."""
    config = record.agent_config
    return {
        **computation_document(record),
        "tls": config.tls_mode if config else None,
        "log_level": config.log_level if config else None,
        "run": run_document(run) if run else None,
        "missing": {"keys": [*missing.keys], "hashes": [*missing.hashes], "info": [*missing.info]},
    }


def run_document(record: RunRecord) -> RunDocument:
    """A run, to print."""
    return {
        "id": record.id,
        "number": record.number,
        "status": record.status,
        "vm": record.cvm_id,
        "agent_address": record.agent_address,
        "start_time": moment(record.start_time),
        "end_time": moment(record.end_time),
    }


def event_document(record: EventRecord) -> EventDocument:
    """A step of a run, to print."""
    from prism_iac.model import details_of

    return {
        "id": record.id,
        "event_type": record.event_type,
        "status": record.status,
        "run_id": record.run_id,
        "originator": record.originator,
        "timestamp": moment(record.timestamp),
        "details": details_of(record.details) or None,
    }


def log_document(record: LogRecord) -> LogDocument:
    """A log entry, to print."""
    return {
        "run_id": record.run_id,
        "level": record.level,
        "message": record.message,
        "timestamp": moment(record.timestamp),
    }


def vm_document(record: CvmRecord) -> VmDocument:
    """A VM, to print."""
    return {
        "id": record.id,
        "cvm_id": record.cvm_id,
        "name": record.name,
        "status": record.status,
        "state": record.state,
        "provider": record.provider,
        "platform": record.cc_platform,
        "vcpus": record.vcpus,
        "agent_address": record.agent_address,
        "agent_log_level": record.agent_log_level,
        "created_at": moment(record.created_at),
    }


def vm_details(record: CvmRecord, local: Vm | None) -> VmDetails:
    """A VM with its process, to print."""
    process: LocalVmDocument | None = None
    if local is not None:
        process = {"pid": local.pid, "running": local.running, "folder": str(local.folder)}
    return {**vm_document(record), "local": process}


def report_document(outcomes: Mapping[str, Outcome]) -> ReportDocument:
    """What every check found, to print."""
    return {
        "ok": all(outcome.verdict != "failed" for outcome in outcomes.values()),
        "checks": [
            {
                "name": name,
                "verdict": outcome.verdict,
                "evidence": outcome.evidence,
                "cause": outcome.cause,
                "fix": outcome.fix,
            }
            for name, outcome in outcomes.items()
        ],
    }
