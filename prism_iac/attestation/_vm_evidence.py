"""What a VM shows for itself, in whichever form it came.

Source: attestation.md section 5.5; cocos-grpc.md sections 8.2 and 8.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from prism_iac.attestation._protobuf import Message
from prism_iac.attestation._token import Platform, Token, is_token
from prism_iac.attestation.snp._evidence import Evidence
from prism_iac.attestation.snp._message import evidence_of_message, message_in_attestation
from prism_iac.attestation.tdx._quote import TdxQuote, is_quote
from prism_iac.attestation.tpm._evidence import TpmEvidence
from prism_iac.errors import Finding, InvalidInput

__all__ = ["VmEvidence"]

_REPORT_VERSIONS = range(2, 6)


@dataclass(frozen=True, slots=True)
class VmEvidence:
    """Evidence of one platform; it proves nothing until it is verified.

    Attributes:
        platform: What made it.
        snp: The report and its certificates, where there are.
        tdx: The quote of a trust domain, where there is.
        tpm: The quotes of a TPM, where there are.
        token: The token that it came in, where it did.
    """

    platform: Platform
    snp: Evidence | None = None
    tdx: TdxQuote | None = None
    tpm: TpmEvidence | None = None
    token: Token | None = None

    @classmethod
    def parse(cls, data: bytes) -> VmEvidence:
        """Evidence from a file or an agent's answer (attestation.md section 5.5).

        A report of SEV-SNP, with or without certificates; a quote of TDX; messages of go-sev-guest and of
        go-tpm-tools; a token in CBOR around any of them.

        Raises:
            InvalidInput: It is none of them, or damaged.
        """
        if not is_token(data):
            return _parse_bare(data)
        token = Token.parse(data)
        found = _parse_bare(token.raw_report)
        if found.platform is not token.platform:
            raise _refusal(f"the token says {token.platform}, the evidence inside is of {found.platform}")
        return cls(found.platform, found.snp, found.tdx, found.tpm, token)


def _parse_bare(data: bytes) -> VmEvidence:
    if int.from_bytes(data[:4], "little") in _REPORT_VERSIONS:
        return VmEvidence(Platform.SNP, snp=Evidence.parse(data))
    if is_quote(data):
        return VmEvidence(Platform.TDX, tdx=TdxQuote.parse(data))
    if not _has_key_of_tpm(data):
        return VmEvidence(Platform.SNP, snp=evidence_of_message(message_in_attestation(data) or data))
    tpm = TpmEvidence.parse(data)
    if not tpm.snp_message:
        return VmEvidence(Platform.VTPM, tpm=tpm)
    return VmEvidence(Platform.SNP_VTPM, snp=evidence_of_message(tpm.snp_message), tpm=tpm)


def _has_key_of_tpm(data: bytes) -> bool:
    """Whether a message is of go-tpm-tools: its first field is a key, not a message."""
    try:
        # Every TPM_ALG_ID of a key is below 256, and no message begins with a zero.
        return Message(data).octets(1)[:1] == b"\0"
    except ValueError as error:
        raise _refusal("this is no evidence in a form that is known here") from error


def _refusal(message: str) -> InvalidInput:
    return InvalidInput([Finding(path="evidence", message=message, fix="Fetch the evidence again.")])
