"""What evidence says, as text for people; nothing of it is verified by being shown.

Source: attestation.md sections 2.1, 2.2, 2.5, 4.1 and 4.2 for the fields; cocos-grpc.md section 8.3 for tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Final

from cryptography import x509

from prism_iac.attestation._token import Token
from prism_iac.attestation._vm_evidence import VmEvidence
from prism_iac.attestation.snp._endorsement import read_endorsement
from prism_iac.attestation.snp._evidence import Endorser, Evidence
from prism_iac.attestation.snp._tcb import Tcb
from prism_iac.attestation.tdx._pck import read_pck
from prism_iac.attestation.tdx._quote import TdxQuote
from prism_iac.attestation.tpm._evidence import TpmEvidence
from prism_iac.attestation.tpm._structures import AttestedQuote
from prism_iac.errors import InvalidInput
from prism_iac.pki import common_name_of, load_certificates, parse_certificate

__all__ = ["Facts", "facts_of"]

Facts = Mapping[str, Mapping[str, str]]
"""Sections, and in each the names of claims with their values."""

_AS_BITS: Final = frozenset({"policy", "platform_info", "signer_info"})
_UNREADABLE: Final = "cannot be read"


def facts_of(evidence: VmEvidence) -> Facts:
    """Every claim of evidence, by section; bytes are hexadecimal (attestation.md sections 2.1, 4.1 and 5.5)."""
    found: dict[str, Mapping[str, str]] = {}
    if evidence.token is not None:
        found["token"] = dict(_of_token(evidence.token))
    if evidence.snp is not None:
        found["report"] = dict(_of_report(evidence.snp))
        for endorser, der in evidence.snp.certificates.items():
            if endorser is not Endorser.CRL:
                found[f"{endorser.name} certificate"] = dict(_of_certificate(der))
    if evidence.tdx is not None:
        found["quote"] = dict(_of_quote(evidence.tdx))
        found["platform certificate"] = dict(_of_pck(evidence.tdx))
    if evidence.tpm is not None:
        found |= _of_tpm(evidence.tpm)
    return found


def _of_token(token: Token) -> Iterator[tuple[str, str]]:
    yield "platform", token.platform
    yield "issuer", token.issuer
    for name, seconds in (("issued", token.issued), ("expires", token.expires)):
        if seconds:
            yield name, _moment(seconds)
    yield "nonce", token.nonce.hex()


def _of_report(evidence: Evidence) -> Iterator[tuple[str, str]]:
    report = evidence.report
    yield "product", report.product or "not told"
    yield "signing_key", report.signing_key.name
    parts = report.product.tcb_parts if report.product else None
    for field in fields(report):
        value = getattr(report, field.name)
        if isinstance(value, Tcb):
            yield field.name, _tcb(value, parts)
        elif isinstance(value, bytes):
            yield field.name, value.hex()
        elif field.name.startswith("signature_") and field.name != "signature_algo":
            yield field.name, f"{value:x}"
        else:
            yield field.name, f"{value:#x}" if field.name in _AS_BITS else str(value)


def _tcb(tcb: Tcb, parts: tuple[str, ...] | None) -> str:
    if parts is None:
        return str(tcb)
    named = (
        f"{name} {part}" for name, part in zip(parts, tcb.parts, strict=True) if name != "reserved" or part
    )
    return ", ".join(named)


def _of_certificate(der: bytes) -> Iterator[tuple[str, str]]:
    try:
        certificate = parse_certificate(der)
    except InvalidInput:
        yield "certificate", _UNREADABLE
        return
    yield from _of_parsed(certificate)
    try:
        said = read_endorsement(certificate)
    except InvalidInput:
        return
    yield "product", "-".join(filter(None, (said.product.value, said.stepping)))
    yield "tcb", _tcb(said.tcb, said.product.tcb_parts)
    yield ("hwid", said.hwid.hex()) if said.hwid is not None else ("csp_id", said.csp_id or "")


def _of_parsed(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    yield "subject", common_name_of(certificate)
    yield "valid", f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}"


def _of_quote(quote: TdxQuote) -> Iterator[tuple[str, str]]:
    yield "version", str(quote.version)
    yield "qe_vendor_id", quote.qe_vendor_id.hex()
    yield "qe_svn", str(quote.qe_svn)
    yield "pce_svn", str(quote.pce_svn)
    for field in fields(quote.body):
        value: bytes = getattr(quote.body, field.name)
        if value:
            yield field.name, value.hex()
    yield "debuggable", "yes" if quote.body.is_debuggable else "no"
    enclave = quote.qe_report
    yield "qe_mr_signer", enclave.mr_signer.hex()
    yield "qe_isv_prod_id", str(enclave.isv_prod_id)
    yield "qe_isv_svn", str(enclave.isv_svn)


def _of_pck(quote: TdxQuote) -> Iterator[tuple[str, str]]:
    try:
        leaf = load_certificates(quote.pck_chain.rstrip(b"\0"))[0]
        pck = read_pck(leaf)
    except InvalidInput:
        yield "certificate", _UNREADABLE
        return
    yield from _of_parsed(leaf)
    yield "fmspc", pck.fmspc.hex()
    yield "pce_id", pck.pce_id.hex()
    yield "pce_svn", str(pck.pce_svn)
    yield "components", pck.components.hex()


def _of_tpm(evidence: TpmEvidence) -> Facts:
    found: dict[str, Mapping[str, str]] = {}
    if evidence.ak_certificate:
        found["attestation key's certificate"] = dict(_of_certificate(evidence.ak_certificate))
    for quote in evidence.quotes:
        registers = {f"pcr{number}": value.hex() for number, value in sorted(quote.pcrs.items())}
        try:
            head = {"nonce": AttestedQuote.parse(quote.attested).extra_data.hex()}
        except InvalidInput:
            head = {"quote": _UNREADABLE}
        found[f"TPM quote of {quote.bank.label}"] = head | registers
    return found


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return str(seconds)
