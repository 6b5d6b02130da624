"""Evidence of SEV-SNP with any field, signed by a simulated chip that goes with it.

Source: attestation.md sections 2.1, 2.5 and 2.6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.attestation import Collateral, Endorser, Evidence, Product, SnpReport, Tcb
from prism_iac.attestation._simulated import (
    CHIP_ID_BYTES,
    COCOS_VMPL,
    SIMULATED_TCB,
    signed_evidence,
    simulated_report,
)
from prism_iac.attestation._simulated_keys import SimulatedAuthority, SimulatedChip
from prism_iac.attestation.snp._endorsement import Endorsement
from prism_iac.attestation.snp._guest_policy import DEFAULT_GUEST_POLICY, SigningKey

__all__ = ["SnpLab"]

_RSA_BITS: Final = 2048
"""Half of AMD's: keys for tests are made in a moment."""

_CHIP_ID: Final = bytes(range(1, CHIP_ID_BYTES + 1))
_TURIN_CHIP_ID_BYTES: Final = 8
_TURIN_MODEL: Final = 1
_TURIN_TCB: Final = Tcb(bytes((1, 1, 1, 1, 0, 0, 0, 1)))
_PROVIDER: Final = "SIMULATED provider"
_SIGNING_KEY_SHIFT: Final = 2


@dataclass(frozen=True, slots=True)
class SnpLab:
    """A maker of evidence, and the roots and revocation lists that go with it.

    Attributes:
        product: `SIMULATED`, or `SIMULATED_TURIN` with the TCB layout of Turin.
        authority: Endorses VCEKs; `provider_authority` endorses VLEKs.
        now: When all that it makes begins to be valid.
    """

    product: Product
    authority: SimulatedAuthority = field(repr=False)
    provider_authority: SimulatedAuthority = field(repr=False)
    now: datetime

    @classmethod
    def create(cls, *, now: datetime, product: Product = Product.SIMULATED) -> SnpLab:
        """A laboratory with keys of its own.

        Args:
            now: The time, aware.
            product: A simulated one.
        """
        chips, providers = (
            SimulatedAuthority.create(product, now=now, is_for_providers=provider, rsa_bits=_RSA_BITS)
            for provider in (False, True)
        )
        return cls(product, chips, providers, now)

    def attest(
        self, *, endorsement: Endorsement | None = None, with_certificates: bool = True, **fields: Any
    ) -> Evidence:
        """Signed evidence whose report has these fields (attestation.md section 2.1).

        A field that is not given is what a guest of Cocos has on a plain platform.

        Args:
            endorsement: What the chip's certificate says; what goes with the report by default.
            with_certificates: Whether certificates travel with it.
            **fields: Of `SnpReport`. A `signer_info` with the signing key 1 is signed by a VLEK.

        Raises:
            InvalidInput: A field does not fit into a report.
        """
        said = endorsement or self._endorsement(fields)
        report = simulated_report(said, **(self._defaults() | fields))
        return self.sign(report, endorsement=said, with_certificates=with_certificates)

    def sign(
        self, report: SnpReport, *, endorsement: Endorsement | None = None, with_certificates: bool = True
    ) -> Evidence:
        """A report as it is, with a signature by a fresh chip.

        Args:
            report: Whatever it says.
            endorsement: What the chip's certificate says; what goes with the report by default.
            with_certificates: Whether certificates travel with it.
        """
        names = SnpReport.__dataclass_fields__
        said = endorsement or self._endorsement({name: getattr(report, name) for name in names})
        is_provider = said.csp_id is not None
        authority = self.provider_authority if is_provider else self.authority
        chip: SimulatedChip = authority.endorse(said, now=self.now)
        certificates = {
            Endorser.VLEK if is_provider else Endorser.VCEK: chip.certificate,
            Endorser.ASK: authority.ask,
            Endorser.ARK: authority.ark,
        }
        return signed_evidence(report, chip.key, certificates if with_certificates else {})

    @property
    def roots(self) -> bytes:
        """The roots of both authorities, PEM."""
        roots = (self.authority.ark, self.provider_authority.ark)
        return b"".join(root.public_bytes(Encoding.PEM) for root in roots)

    def collateral(self, *, revoked: tuple[x509.Certificate, ...] = ()) -> Collateral:
        """The revocation lists of both roots (attestation.md section 2.7)."""
        authorities = (self.authority, self.provider_authority)
        return Collateral(crls=tuple(item.revoke(revoked, now=self.now) for item in authorities))

    def _defaults(self) -> dict[str, Any]:
        return {
            "policy": DEFAULT_GUEST_POLICY,
            "vmpl": COCOS_VMPL,
            "measurement": b"m" * 48,
            "report_data": bytes(64),
            "report_id": b"r" * 32,
            "cpuid_model": _TURIN_MODEL if self.product is Product.SIMULATED_TURIN else 0,
        }

    def _endorsement(self, fields: dict[str, Any]) -> Endorsement:
        is_turin = self.product is Product.SIMULATED_TURIN
        tcb: Tcb = fields.get("reported_tcb", _TURIN_TCB if is_turin else SIMULATED_TCB)
        if fields.get("signer_info", 0) >> _SIGNING_KEY_SHIFT & 7 == SigningKey.VLEK:
            return Endorsement(self.product, "", tcb, None, _PROVIDER)
        chip_id: bytes = fields.get("chip_id", b"") or _CHIP_ID
        size = _TURIN_CHIP_ID_BYTES if is_turin else CHIP_ID_BYTES
        return Endorsement(self.product, "", tcb, chip_id[:size].ljust(size, b"\0"))
