"""The policy that a VM's own evidence meets: what participants pin after they have looked at it.

Source: prism-rest.md section 3.10; attestation.md section 5.1 (the form that `cocos-cli` writes).
"""

from __future__ import annotations

import base64
from typing import Any

from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._policy_values import PRODUCT_NAMES
from prism_iac.attestation.snp._guest_policy import DEBUG
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.errors import Finding, InvalidInput

__all__ = ["policy_from_evidence"]


def policy_from_evidence(report: SnpReport) -> PolicyDocument:
    """The policy file that pins what a report claims (attestation.md section 5.1).

    It never allows debugging: evidence of a guest that may be debugged does not meet its own policy.

    Raises:
        InvalidInput: The report's processor is not known, or has no name in policy files.
    """
    # attestation.md section 2.3: version 2 does not tell the product, and Milan was the first to have it.
    product = report.product if report.has_cpuid else Product.MILAN
    names = {line: name for name, line in PRODUCT_NAMES.items()}
    if product not in names:
        raise InvalidInput(
            [
                Finding(
                    path="report.cpuid_family",
                    message="the processor of the report has no name in policy files",
                    fix="Write the policy by hand.",
                )
            ]
        )
    is_provisional = (report.committed_version, report.committed_build, report.committed_tcb) != (
        report.current_version,
        report.current_build,
        report.current_tcb,
    )
    policy: dict[str, Any] = {
        "chipId": _b64(report.chip_id),
        "familyId": _b64(report.family_id),
        "hostData": _b64(report.host_data),
        "imageId": _b64(report.image_id),
        "measurement": _b64(report.measurement),
        "minimumBuild": report.current_build,
        "minimumLaunchTcb": str(report.launch_tcb.to_int()),
        "minimumTcb": str(report.reported_tcb.to_int()),
        "minimumVersion": "{}.{}".format(*report.current_version),
        "policy": str(report.policy & ~DEBUG),
        "product": {"name": names[product]},
        "reportIdMa": _b64(report.report_id_ma),
        "vmpl": report.vmpl,
    }
    if is_provisional:
        policy["permitProvisionalFirmware"] = True
    root: dict[str, Any] = {"product": product.value, "productLine": product.value}
    if not product.is_simulated:
        root["checkCrl"] = True
    return PolicyDocument.from_values(
        {
            "pcr_values": {"sha1": None, "sha256": None, "sha384": None},
            "policy": policy,
            "rootOfTrust": root,
        }
    )


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
