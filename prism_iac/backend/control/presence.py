"""Who may connect, and what a connection or its end means for a CVM."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from prism_iac.backend._certificates import cvm_uri
from prism_iac.backend._runs import Signal, end_run
from prism_iac.backend.control.visitor import Visitor
from prism_iac.backend.store import certificates, cvms, runs
from prism_iac.model import VmStatus

__all__ = ["come_back", "connect", "cvm_of", "fail_runs_of_removed_cvms", "inactive", "leave", "why_refused"]


def inactive(cvm_id: str) -> str:
    """The words by which an agent of ours knows that its CVM was removed, and ends."""
    return f"cvm is inactive: {cvm_id}"


def why_refused(session: Session, visitor: Visitor) -> str:
    """Why a stream is refused, in the words that agents know; empty when it is let in."""
    if not visitor.is_certified:
        return _why_not_by_its_word(session, visitor.job_id)
    certificate = certificates.find_anywhere(session, visitor.serial)
    if certificate is None:
        return inactive(visitor.job_id or "unknown")
    cvm = cvms.find_anywhere(session, certificate.entity_id)
    if cvm is None or cvm.deleted_at is not None or cvm_uri(cvm.id) not in visitor.names:
        return inactive(certificate.entity_id)
    if certificate.revoked_at is not None:
        return f"certificate is revoked: {visitor.serial}"
    if visitor.job_id != cvm.id and cvms.find_anywhere(session, visitor.job_id) is not None:
        return f"the certificate is the one of cvm {cvm.id}, not of {visitor.job_id}"
    return ""


def _why_not_by_its_word(session: Session, cvm_id: str) -> str:
    if not cvm_id:
        return "an agent without a certificate says its cvm in the metadata job-id"
    cvm = cvms.find_anywhere(session, cvm_id)
    return inactive(cvm_id) if cvm is None or cvm.deleted_at is not None else ""


def cvm_of(session: Session, visitor: Visitor) -> str:
    """The CVM of a visitor that was let in."""
    if not visitor.is_certified:
        return visitor.job_id
    certificate = certificates.find_anywhere(session, visitor.serial)
    assert certificate is not None, "a visitor was let in without a certificate"
    return certificate.entity_id


def connect(session: Session, cvm_id: str, visitor: Visitor, *, now: datetime) -> None:
    """Note that a CVM's agent is connected, which machine it is in, and where participants reach it.

    A manager of Cocos gives machines ids of its own, and agents say theirs (cocos-grpc.md section 6.4).
    """
    come_back(session, cvm_id, now=now)
    cvm = cvms.lock(session, cvm_id)
    cvm.beat += 1
    cvm.machine_id = "" if visitor.job_id == cvm_id else visitor.job_id
    cvm.agent_url = visitor.agent_url
    run = runs.active_of_cvm(session, cvm_id)
    if run is not None:
        run.agent_url = visitor.agent_url


def come_back(session: Session, cvm_id: str, *, now: datetime) -> None:
    """Note that a CVM's agent is connected."""
    cvm = cvms.lock(session, cvm_id)
    if cvm.status != VmStatus.ONLINE:
        cvm.status = VmStatus.ONLINE
        cvms.record_change(session, cvm, is_up=True, now=now)


def leave(session: Session, cvm_id: str, *, beat: int, now: datetime) -> None:
    """Note that a CVM's agent has been away for too long, unless it has shown a life sign since a beat."""
    cvm = cvms.lock(session, cvm_id)
    if cvm.status == VmStatus.ONLINE and cvm.beat == beat:
        cvm.status = VmStatus.OFFLINE
        cvms.record_change(session, cvm, is_up=False, now=now)


def fail_runs_of_removed_cvms(session: Session, *, now: datetime) -> None:
    """End the runs whose CVM is gone for good."""
    for run in runs.active_on_removed_cvms(session):
        end_run(session, run, Signal.CVM_REMOVED, now=now, reason="the CVM was removed")
