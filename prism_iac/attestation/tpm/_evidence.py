"""Evidence of a TPM: quotes, the key that signed them, and who vouches for the key.

Source: go-tpm-tools, `proto/attest.proto` (Attestation) and `proto/tpm.proto` (Quote), as cocos-grpc.md
section 8.3 gives their fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prism_iac.attestation._protobuf import Message, encode_message
from prism_iac.attestation.tpm._structures import HashAlgorithm
from prism_iac.errors import Finding, InvalidInput

__all__ = ["TpmEvidence", "TpmQuote"]

_AK_PUB, _QUOTES, _AK_CERT, _INTERMEDIATES, _SNP = 1, 2, 6, 7, 8
_QUOTE, _RAW_SIG, _PCRS = 1, 2, 3
_HASH, _VALUES = 1, 2
_KEY, _VALUE = 1, 2


@dataclass(frozen=True, slots=True)
class TpmQuote:
    """A quote of one bank of registers.

    Attributes:
        attested: What the TPM signed, TPMS_ATTEST.
        signature: TPMT_SIGNATURE.
        bank: The bank.
        pcrs: The values of the registers, by number; the quote attests a digest of them.
    """

    attested: bytes
    signature: bytes
    bank: HashAlgorithm
    pcrs: Mapping[int, bytes] = field(hash=False)


@dataclass(frozen=True, slots=True)
class TpmEvidence:
    """What a TPM shows; it proves nothing until it is verified.

    Attributes:
        ak_public: The attestation key, TPMT_PUBLIC.
        quotes: One for each bank.
        ak_certificate: Of the key, DER; empty when it has none.
        intermediates: The certificates of its issuers, DER.
        snp_message: What the confidential VM shows for itself, a message of go-sev-guest; empty without.
    """

    ak_public: bytes
    quotes: tuple[TpmQuote, ...]
    ak_certificate: bytes = b""
    intermediates: tuple[bytes, ...] = ()
    snp_message: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> TpmEvidence:
        """Evidence from a message of go-tpm-tools (cocos-grpc.md section 8.3).

        Raises:
            InvalidInput: It is not one, or has no quote.
        """
        try:
            message = Message(data)
            evidence = cls(
                message.octets(_AK_PUB),
                tuple(_quote(Message(quote)) for quote in message.each(_QUOTES)),
                message.octets(_AK_CERT),
                tuple(message.each(_INTERMEDIATES)),
                message.octets(_SNP),
            )
        except ValueError as error:
            raise _refusal("this is no evidence of a TPM that can be read") from error
        if not evidence.ak_public or not evidence.quotes:
            raise _refusal("the evidence of the TPM has no key or no quote")
        return evidence

    def to_bytes(self) -> bytes:
        """The message (cocos-grpc.md section 8.3)."""
        return encode_message(
            (
                (_AK_PUB, self.ak_public),
                *((_QUOTES, _message(quote)) for quote in self.quotes),
                (_AK_CERT, self.ak_certificate),
                *((_INTERMEDIATES, item) for item in self.intermediates),
                (_SNP, self.snp_message),
            )
        )


def _quote(message: Message) -> TpmQuote:
    pcrs = message.message(_PCRS)
    values: dict[int, bytes] = {}
    for entry in map(Message, pcrs.each(_VALUES)):
        number = entry.integer(_KEY)
        if number in values:
            raise ValueError("a register stands there twice")
        values[number] = entry.octets(_VALUE)
    return TpmQuote(
        message.octets(_QUOTE), message.octets(_RAW_SIG), HashAlgorithm(pcrs.integer(_HASH)), values
    )


def _message(quote: TpmQuote) -> bytes:
    entries = (
        (_VALUES, encode_message(((_KEY, number), (_VALUE, value)))) for number, value in quote.pcrs.items()
    )
    pcrs = encode_message(((_HASH, int(quote.bank)), *entries))
    return encode_message(((_QUOTE, quote.attested), (_RAW_SIG, quote.signature), (_PCRS, pcrs)))


def _refusal(message: str) -> InvalidInput:
    return InvalidInput([Finding(path="evidence", message=message, fix="Fetch the evidence again.")])
