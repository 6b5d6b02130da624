"""Confidential VMs (prism-rest.md section 2.5)."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from prism_iac.backend._certificates import BIRTH_VALIDITY
from prism_iac.backend._errors import Clash, Missing
from prism_iac.backend._guard import serves
from prism_iac.backend._scope import WorkspaceScope
from prism_iac.backend.records.cvms import (
    AttestationPolicyRecord,
    CvmBody,
    CvmPage,
    CvmRecord,
    CvmStatistics,
    Provider,
    VcpuCount,
    cvm_record,
    presence_record,
)
from prism_iac.backend.routes.certificates import issue, revoke
from prism_iac.backend.routes.parameters import Days, PageSlice, TextFilter, since
from prism_iac.backend.store import certificates, cvms, idempotency, runs
from prism_iac.backend.store.cvms import Cvm, CvmFilter, NewCvm, Presence
from prism_iac.backend.store.notices import Notice, Subject
from prism_iac.errors import InvalidInput
from prism_iac.model import LogLevel, PlatformText, VmStatus

__all__ = ["router"]

router = APIRouter(prefix="/backends/{domain_id}/cvms", tags=["cvms"])

StatusFilter = Literal["active", "inactive", "creating", "starting", "online", "offline"]


def _existing(scope: WorkspaceScope, cvm_id: str) -> Cvm:
    cvm = cvms.find(scope.session, scope.workspace.id, cvm_id)
    if cvm is None:
        raise Missing(f'there is no CVM "{cvm_id}" in this workspace')
    return cvm


def _find(scope: WorkspaceScope, cvm_id: str) -> CvmRecord:
    return _record(scope, _existing(scope, cvm_id))


def _record(scope: WorkspaceScope, cvm: Cvm) -> CvmRecord:
    return cvm_record(cvm, cvms.evidence_of(scope.session, [cvm.id])[cvm.id])


@serves(router, "POST", "/{provider}/{vcpu}/{cc_platform}", status=201, location="/cvms/{id}", replay=_find)
def create_cvm(
    scope: WorkspaceScope,
    provider: Annotated[Provider, Path()],
    vcpu: Annotated[VcpuCount, Path()],
    cc_platform: Annotated[PlatformText, Path()],
    body: CvmBody,
) -> CvmRecord:
    """Record a CVM, with the certificate that its agent connects by; it stays `creating` until then."""
    _require_offered(scope, provider=provider, vcpus=vcpu, platform=cc_platform)
    new = NewCvm(
        name=body.name,
        provider=provider,
        vcpus=vcpu,
        cc_platform=cc_platform,
        agent_log_level=body.agent_log_level or LogLevel.INFO,
    )
    cvm = cvms.add(scope.session, new, workspace_id=scope.workspace.id, now=scope.now)
    issue(scope, cvm, entity_type="cvm", validity=BIRTH_VALIDITY)
    return _record(scope, cvm)


def _require_offered(scope: WorkspaceScope, *, provider: str, vcpus: int, platform: str) -> None:
    from prism_iac.model.resources import ConfidentialVM

    ConfidentialVM.parse(
        {"workspace": scope.workspace.id, "provider": provider, "vcpus": vcpus, "platform": platform}
    )


@serves(router, "GET", "")
def list_cvms(
    scope: WorkspaceScope,
    wanted: PageSlice,
    *,
    name: TextFilter = None,
    status: StatusFilter = "active",
    days: Annotated[int | None, Query(ge=1, le=365)] = None,
    cc_platform: PlatformText | None = None,
) -> CvmPage:
    """List the CVMs, newest first; removed ones only where they are asked for."""
    by = CvmFilter(
        name=name,
        status=Presence(status) if status in set(Presence) else VmStatus(status),
        since=None if days is None else since(days, now=scope.now),
        cc_platform=cc_platform,
    )
    page = cvms.page(scope.session, scope.workspace.id, wanted, by)
    evidence = cvms.evidence_of(scope.session, [cvm.id for cvm in page.rows])
    records = [cvm_record(cvm, evidence[cvm.id]) for cvm in page.rows]
    return CvmPage(cvms=records, total=page.total, **wanted._asdict())


@serves(router, "GET", "/{cvm_id}")
def get_cvm(scope: WorkspaceScope, cvm_id: str) -> CvmRecord:
    """A CVM, also a removed one."""
    return _find(scope, cvm_id)


@serves(router, "DELETE", "/{cvm_id}", status=204, errors=(Clash,))
def delete_cvm(scope: WorkspaceScope, cvm_id: str) -> None:
    """Remove a CVM and revoke its certificates; a record stays, inactive (D37)."""
    cvm = cvms.lock(scope.session, _existing(scope, cvm_id).id)
    if cvm.deleted_at is not None:
        raise Missing(f'the CVM "{cvm_id}" was removed before')
    run = runs.active_of_cvm(scope.session, cvm.id)
    if run is not None:
        raise Clash(
            f"the CVM is at work on the computation {run.computation_id}",
            next_step="Stop the run first, or wait for its end.",
        )
    # Before the certificates: an agent ends for good when it hears that its CVM is gone.
    scope.tell_agents(Notice(Subject.CVM_REMOVED, cvm.id))
    for certificate in certificates.of_entity(scope.session, cvm.id):
        revoke(scope, certificate)
    idempotency.forget(scope.session, [cvm.id])
    if cvm.status == VmStatus.ONLINE:
        cvms.record_change(scope.session, cvm, is_up=False, now=scope.now)
    cvm.status, cvm.deleted_at = VmStatus.INACTIVE, scope.now


@serves(router, "GET", "/{cvm_id}/statistics")
def get_cvm_statistics(scope: WorkspaceScope, cvm_id: str, days: Days = 7) -> CvmStatistics:
    """When a CVM came up and went down, newest first."""
    cvm = _existing(scope, cvm_id)
    changes = cvms.changes_of(scope.session, cvm, since=since(days, now=scope.now))
    return CvmStatistics(cvm_stats=[presence_record(change) for change in changes])


@serves(router, "GET", "/{cvm_id}/attestation_policy")
def get_attestation_policy(scope: WorkspaceScope, cvm_id: str) -> AttestationPolicyRecord:
    """The policy that accepts a CVM's present evidence, once it is online (D47)."""
    from prism_iac.attestation import SnpReport, policy_from_evidence

    cvm = _existing(scope, cvm_id)
    report, _ = cvms.evidence_of(scope.session, [cvm.id])[cvm.id]
    if cvm.status != VmStatus.ONLINE or not report:
        raise Missing(f'the CVM "{cvm.name}" has shown no evidence yet', next_step="Wait until it is online.")
    try:
        policy = policy_from_evidence(SnpReport.parse(report))
    except InvalidInput as error:
        raise Missing(
            f'no policy can be made from the evidence of the CVM "{cvm.name}"',
            next_step="Evidence of this kind takes a policy of its own; see the CVM's attestation.",
        ) from error
    return AttestationPolicyRecord(attestation_policy=base64.b64encode(policy.to_bytes()).decode())
