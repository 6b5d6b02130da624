"""Quotes of a TPM with any registers, and the certificate of its attestation key.

Source: TPM 2.0 Library revision 1.59, part 2 §10.12.12; cocos-grpc.md section 8.3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.attestation import TpmEvidence, TpmQuote
from prism_iac.attestation.tpm._structures import (
    AK_ATTRIBUTES,
    AttestedQuote,
    Curve,
    HashAlgorithm,
    KeyKind,
    PublicArea,
    Scheme,
    Signature,
)
from prism_iac.testing._certificates import Issuer, pem_of

__all__ = ["Registers", "TpmLab"]

Registers = Mapping[HashAlgorithm, Mapping[int, bytes]]
"""Values by bank and number."""

_SCALAR_BYTES: Final = 32

USUAL_REGISTERS: Final[Registers] = {
    HashAlgorithm.SHA256: {number: bytes([number]) * 32 for number in range(8)},
    HashAlgorithm.SHA384: {number: bytes([number]) * 48 for number in range(8)},
}


@dataclass(frozen=True, slots=True)
class TpmLab:
    """A maker of quotes.

    Attributes:
        root: Vouches for attestation keys.
        ak: The attestation key and its certificate.
        now: When all that it makes begins to be valid.
    """

    root: Issuer
    ak: Issuer = field(repr=False)
    now: datetime

    @classmethod
    def create(cls, *, now: datetime) -> TpmLab:
        """A laboratory with keys of its own."""
        root = Issuer.root("SIMULATED TPM Root CA", now=now)
        return cls(root, root.issue("SIMULATED TPM attestation key", now=now), now)

    @property
    def ak_public(self) -> bytes:
        """The attestation key, TPMT_PUBLIC (part 2 §12.2.4)."""
        return self.area(AK_ATTRIBUTES).to_bytes()

    def area(self, attributes: int) -> PublicArea:
        """The attestation key with these attributes."""
        numbers = self.ak.key.public_key().public_numbers()
        return PublicArea(
            kind=KeyKind.ECC,
            attributes=attributes,
            curve=Curve.P256,
            numbers=tuple(value.to_bytes(_SCALAR_BYTES, "big") for value in (numbers.x, numbers.y)),
        )

    def attest(
        self,
        nonce: bytes,
        *,
        registers: Registers = USUAL_REGISTERS,
        attributes: int = AK_ATTRIBUTES,
        snp_message: bytes = b"",
        with_certificate: bool = True,
    ) -> TpmEvidence:
        """Signed quotes, one for each bank (part 3 §18.4).

        Args:
            nonce: What they answer.
            registers: What they show.
            attributes: Of the attestation key.
            snp_message: What the confidential VM shows beside it.
            with_certificate: Whether the key's certificate travels with them.
        """
        certificate = self.ak.certificate.public_bytes(Encoding.DER) if with_certificate else b""
        quotes = tuple(self.quote(nonce, bank, values) for bank, values in registers.items())
        area = self.area(attributes).to_bytes()
        return TpmEvidence(area, quotes, certificate, (), snp_message)

    def quote(self, nonce: bytes, bank: HashAlgorithm, values: Mapping[int, bytes]) -> TpmQuote:
        """One signed quote."""
        numbers = tuple(sorted(values))
        digest = hashlib.sha256(b"".join(values[number] for number in numbers)).digest()
        attested = AttestedQuote(
            extra_data=nonce, selections=((bank, numbers),), pcr_digest=digest
        ).to_bytes()
        scalars = decode_dss_signature(self.ak.key.sign(attested, ec.ECDSA(SHA256())))
        signature = Signature(
            Scheme.ECDSA,
            HashAlgorithm.SHA256,
            tuple(scalar.to_bytes(_SCALAR_BYTES, "big") for scalar in scalars),
        )
        return TpmQuote(attested, signature.to_bytes(), bank, dict(values))

    @property
    def roots(self) -> bytes:
        """The root, PEM."""
        return pem_of([self.root.certificate])
