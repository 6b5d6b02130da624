"""Evidence of SEV-SNP as a Protocol Buffers message.

Source: go-sev-guest, `proto/sevsnp.proto` (Attestation, Report, CertificateChain); go-tpm-tools,
`proto/attest.proto` (Attestation); cocos-grpc.md section 8.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from prism_iac.attestation._protobuf import Message, encode_message
from prism_iac.attestation.snp._evidence import Endorser, Evidence
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.attestation.snp._tcb import Tcb
from prism_iac.errors import Finding, InvalidInput

__all__ = ["attestation_message", "evidence_of_message", "message_in_attestation", "message_of_evidence"]

_REPORT, _CHAIN = 1, 2
_IN_ATTESTATION: Final = 8

_FIELDS: Final = (
    "version", "guest_svn", "policy", "family_id", "image_id", "vmpl", "signature_algo", "current_tcb",
    "platform_info", "signer_info", "report_data", "measurement", "host_data", "id_key_digest",
    "author_key_digest", "report_id", "report_id_ma", "reported_tcb", "chip_id", "committed_tcb",
    "current_build", "current_minor", "current_major", "committed_build", "committed_minor",
    "committed_major", "launch_tcb",
)  # fmt: skip
"""The fields of the report in the order of their numbers, from 1."""

_OCTETS: Final = frozenset(
    {
        "family_id", "image_id", "report_data", "measurement", "host_data", "id_key_digest",
        "author_key_digest", "report_id", "report_id_ma", "chip_id",
    }
)  # fmt: skip
_SIGNATURE, _CPUID, _LAUNCH_MIT, _CURRENT_MIT = 28, 29, 30, 31
_SIGNATURE_BYTES: Final = 512
_SCALAR_BYTES: Final = 72
_FIRST_WITH_CPUID: Final = 3

_CERTIFICATES: Final = {1: Endorser.VCEK, 6: Endorser.VLEK, 2: Endorser.ASK, 3: Endorser.ARK}

_EXTENDED_FAMILY: Final = 0xF


def evidence_of_message(data: bytes) -> Evidence:
    """Evidence from a message of go-sev-guest (cocos-grpc.md section 8.3).

    Raises:
        InvalidInput: It is not one, or its report is none.
    """
    try:
        message = Message(data)
        report = _report(message.message(_REPORT))
        chain = message.message(_CHAIN)
        found = {endorser: chain.octets(number) for number, endorser in _CERTIFICATES.items()}
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            [
                Finding(
                    path="evidence",
                    message="this is no message with a report of SEV-SNP",
                    fix="Fetch the evidence again.",
                )
            ]
        ) from error
    return Evidence(report, {endorser: der for endorser, der in found.items() if der})


def message_of_evidence(evidence: Evidence) -> bytes:
    """The message that says what evidence says, but for a revocation list (cocos-grpc.md section 8.3)."""
    report = evidence.report
    values = [(number, _plain(getattr(report, name))) for number, name in enumerate(_FIELDS, start=1)]
    scalars = (report.signature_r, report.signature_s)
    signature = b"".join(scalar.to_bytes(_SCALAR_BYTES, "little") for scalar in scalars)
    values += [
        (_SIGNATURE, signature.ljust(_SIGNATURE_BYTES, b"\0")),
        (_CPUID, _cpuid_eax(report)),
        (_LAUNCH_MIT, report.launch_mit_vector),
        (_CURRENT_MIT, report.current_mit_vector),
    ]
    numbers = {endorser: number for number, endorser in _CERTIFICATES.items()}
    chain = encode_message(
        (numbers[endorser], der) for endorser, der in evidence.certificates.items() if endorser in numbers
    )
    return encode_message(((_REPORT, encode_message(values)), (_CHAIN, chain)))


def attestation_message(evidence: Evidence) -> bytes:
    """The message of go-tpm-tools around that of go-sev-guest, without a TPM: `cocos-cli` reads no other."""
    return encode_message(((_IN_ATTESTATION, message_of_evidence(evidence)),))


def message_in_attestation(data: bytes) -> bytes:
    """The message of go-sev-guest in one of go-tpm-tools without a TPM; empty when there is none."""
    try:
        message = Message(data)
        return message.octets(_IN_ATTESTATION) if message.numbers() == {_IN_ATTESTATION} else b""
    except ValueError:
        return b""


def _report(message: Message) -> SnpReport:
    values: dict[str, Any] = dict(_values(message))
    signature = message.octets(_SIGNATURE)
    if len(signature) != _SIGNATURE_BYTES or any(signature[2 * _SCALAR_BYTES :]):
        raise ValueError("the signature has another length")
    eax = message.integer(_CPUID)
    family, model = eax >> 8 & 0xF, eax >> 4 & 0xF | eax >> 12 & 0xF0
    if family == _EXTENDED_FAMILY:
        family += eax >> 20 & 0xFF
    if values["version"] >= _FIRST_WITH_CPUID:
        values |= {"cpuid_family": family, "cpuid_model": model, "cpuid_stepping": eax & 0xF}
    return SnpReport(
        **values,
        launch_mit_vector=message.integer(_LAUNCH_MIT),
        current_mit_vector=message.integer(_CURRENT_MIT),
        signature_r=int.from_bytes(signature[:_SCALAR_BYTES], "little"),
        signature_s=int.from_bytes(signature[_SCALAR_BYTES : 2 * _SCALAR_BYTES], "little"),
    )


def _values(message: Message) -> Iterator[tuple[str, int | bytes | Tcb]]:
    for number, name in enumerate(_FIELDS, start=1):
        if name in _OCTETS:
            yield name, message.octets(number)
        elif name.endswith("_tcb"):
            yield name, Tcb.from_int(message.integer(number))
        else:
            yield name, message.integer(number)


def _plain(value: int | bytes | Tcb) -> int | bytes:
    return value.to_int() if isinstance(value, Tcb) else value


def _cpuid_eax(report: SnpReport) -> int:
    """CPUID Fn0000_0001 EAX (AMD 25481; attestation.md section 1.6)."""
    base = min(report.cpuid_family, _EXTENDED_FAMILY)
    extended = report.cpuid_family - base
    model = report.cpuid_model
    return extended << 20 | (model >> 4) << 16 | base << 8 | (model & 0xF) << 4 | report.cpuid_stepping & 0xF
