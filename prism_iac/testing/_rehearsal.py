"""What a policy for hardware says, said of a simulated platform, and evidence that meets it.

No evidence of the laboratory meets a policy for hardware, by design. A policy's unit test therefore rehearses:
all expectations stay as they are, only whose evidence counts is another's.
"""

from __future__ import annotations

from typing import Any, Final

from prism_iac.attestation import PolicyDocument, Product, Tcb
from prism_iac.attestation._policy_values import PRODUCT_NAMES, TdxVendor

__all__ = ["rehearse", "report_fields", "td_fields"]

_PRODUCT_KEYS: Final = frozenset({"product", "productLine", "product_line"})
_SECTIONS: Final = ("rootOfTrust", "root_of_trust")
_AUTHOR_KEY_ENABLED: Final = 1


def rehearse(policy: PolicyDocument, product: Product) -> PolicyDocument:
    """The policy with a simulated product in place of the one that it names; all else stays."""
    values = policy.values()
    section = next((name for name in _SECTIONS if name in values), _SECTIONS[0])
    trust = {key: value for key, value in values.get(section, {}).items() if key not in _PRODUCT_KEYS}
    expectations = values.get("policy", {})
    if policy.is_tdx:
        for header in (expectations.get("headerPolicy"), expectations.get("header_policy")):
            for key in ("qeVendorId", "qe_vendor_id"):
                (header or {}).pop(key, None)
        values[section] = trust | {"product": TdxVendor.SIMULATED.value}
    else:
        names = {line: name for name, line in PRODUCT_NAMES.items()}
        values[section] = trust | {"productLine": product.value}
        if isinstance(expectations.get("product"), dict):
            expectations["product"]["name"] = names[product]
    return PolicyDocument.from_values(values)


def report_fields(policy: PolicyDocument) -> dict[str, Any]:
    """The fields of a report that a policy for SEV-SNP expects, as many as it says (attestation.md section 3.2).

    Raises:
        InvalidInput: It is not a policy for SEV-SNP, or cannot be read.
    """
    expected = policy.snp_policy().policy
    verbatim = (
        "policy", "family_id", "image_id", "vmpl", "platform_info", "report_data", "measurement", "host_data",
        "report_id", "report_id_ma", "chip_id",
    )  # fmt: skip
    fields: dict[str, Any] = {name: getattr(expected, name) for name in verbatim}
    fields["guest_svn"] = expected.minimum_guest_svn
    fields |= _tcbs(expected.minimum_tcb, expected.minimum_launch_tcb)
    if expected.minimum_version is not None or expected.minimum_build is not None:
        major, minor = expected.minimum_version or (1, 0)
        for kind in ("current", "committed"):
            versions = {"major": major, "minor": minor, "build": expected.minimum_build or 0}
            fields |= {f"{kind}_{part}": value for part, value in versions.items()}
    if expected.require_author_key or expected.require_id_block:
        authors, identities = expected.trusted_author_key_hashes, expected.trusted_id_key_hashes
        fields["author_key_digest"] = authors[0] if authors else None
        fields["signer_info"] = _AUTHOR_KEY_ENABLED if authors else None
        fields["id_key_digest"] = identities[0] if identities else None
    stepping = expected.product.machine_stepping
    fields["cpuid_stepping"] = expected.product.stepping if stepping is None else stepping
    return {name: value for name, value in fields.items() if value is not None}


def td_fields(policy: PolicyDocument) -> dict[str, Any]:
    """The fields of a domain that a policy for TDX expects, as many as it says (attestation.md section 4.5).

    Raises:
        InvalidInput: It is not a policy for TDX, or cannot be read.
    """
    expected = policy.tdx_policy().body
    verbatim = (
        "mr_seam", "td_attributes", "xfam", "mr_td", "mr_config_id", "mr_owner", "mr_owner_config", "report_data",
    )  # fmt: skip
    fields: dict[str, Any] = {name: getattr(expected, name) for name in verbatim}
    fields["tee_tcb_svn"] = expected.minimum_tee_tcb_svn
    if expected.mr_td is None and expected.any_mr_td:
        fields["mr_td"] = expected.any_mr_td[0]
    registers = expected.rtmrs or ()
    fields |= {f"rtmr{number}": register for number, register in enumerate(registers)}
    return {name: value for name, value in fields.items() if value is not None}


def _tcbs(minimum: Tcb | None, minimum_launch: Tcb | None) -> dict[str, Tcb]:
    given = [tcb.parts for tcb in (minimum, minimum_launch) if tcb is not None]
    if not given:
        return {}
    highest = Tcb(bytes(map(max, zip(*given, strict=True))))
    return dict.fromkeys(("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"), highest)
