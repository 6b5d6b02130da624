"""The evidence laboratory: every kind of evidence, its roots, and a verifier that trusts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509

from prism_iac.attestation import (
    AttestationResult,
    Collateral,
    Nonce,
    Platform,
    PolicyDocument,
    Product,
    Token,
    TpmEvidence,
    VmEvidence,
    verify_evidence,
)
from prism_iac.attestation.snp._message import message_of_evidence
from prism_iac.testing._rehearsal import rehearse, report_fields, td_fields
from prism_iac.testing._snp import SnpLab
from prism_iac.testing._tdx import TdxLab
from prism_iac.testing._tpm import USUAL_REGISTERS, Registers, TpmLab

__all__ = ["EvidenceLab"]


@dataclass(frozen=True, slots=True)
class EvidenceLab:
    """Makes evidence of simulated platforms with any field chosen; no policy for hardware accepts it.

    Attributes:
        snp: Reports of SEV-SNP.
        tdx: Quotes of TDX.
        tpm: Quotes of a TPM.
        now: The time of all that it makes and verifies.
    """

    snp: SnpLab
    tdx: TdxLab
    tpm: TpmLab
    now: datetime

    @classmethod
    def create(cls, *, now: datetime, product: Product = Product.SIMULATED) -> EvidenceLab:
        """A laboratory with roots of its own; takes about a second.

        Args:
            now: The time, aware.
            product: Of its reports; `SIMULATED_TURIN` has the TCB layout of Turin.
        """
        snp = SnpLab.create(now=now, product=product)
        return cls(snp, TdxLab.create(now=now), TpmLab.create(now=now), now)

    @property
    def roots(self) -> bytes:
        """The roots of all that it makes, PEM."""
        return self.snp.roots + self.tdx.roots + self.tpm.roots

    def collateral(self, *, revoked: tuple[x509.Certificate, ...] = ()) -> Collateral:
        """The revocation lists and documents of all that it makes.

        Args:
            revoked: Certificates that their issuers have withdrawn.
        """
        lists = Collateral(crls=(self.tpm.root.revoke(revoked, now=self.now),))
        parts = (self.snp.collateral(revoked=revoked), self.tdx.collateral(revoked=revoked), lists)
        found = Collateral()
        for part in parts:
            found = found.with_all_of(part)
        return found

    def snp_vtpm(self, nonce: Nonce, *, registers: Registers = USUAL_REGISTERS, **fields: Any) -> TpmEvidence:
        """A TPM whose attestation key a report of SEV-SNP is bound to (cocos-grpc.md section 8.3).

        Args:
            nonce: What both answer.
            registers: What the TPM shows.
            **fields: Of `SnpReport`; its report data is the binding unless it is given.
        """
        bound = {"report_data": nonce.report_data_with(self.tpm.ak_public)}
        report = self.snp.attest(**(bound | fields))
        return self.tpm.attest(nonce.tpm, registers=registers, snp_message=message_of_evidence(report))

    def token(self, evidence: bytes, platform: Platform, nonce: Nonce) -> bytes:
        """The token of newer agents around evidence (cocos-grpc.md section 8.3)."""
        issued = int(self.now.timestamp())
        return Token(
            platform, evidence, nonce.tpm, "SIMULATED attestation service", issued, issued + 300
        ).to_bytes()

    def rehearse(self, policy: PolicyDocument) -> PolicyDocument:
        """A policy for hardware, said of this laboratory's platform; every other expectation stays."""
        return rehearse(policy, self.snp.product)

    def evidence_for(self, policy: PolicyDocument, nonce: Nonce, /, **fields: Any) -> VmEvidence:
        """Evidence that says what a rehearsed policy expects, but for the fields that are given.

        Args:
            policy: For SEV-SNP or TDX.
            nonce: What it answers, unless the policy or a field says the report data.
            **fields: Of `SnpReport` or `TdReport`.

        Raises:
            InvalidInput: The policy cannot be read, or a field does not fit.
        """
        wanted = {"report_data": nonce.tee}
        if policy.is_tdx:
            quote = self.tdx.attest(**(wanted | td_fields(policy) | fields))
            return VmEvidence(Platform.TDX, tdx=quote)
        report = self.snp.attest(**(wanted | report_fields(policy) | fields))
        return VmEvidence(Platform.SNP, snp=report)

    def verify(
        self,
        evidence: VmEvidence | bytes,
        policy: PolicyDocument,
        *,
        nonce: Nonce | None = None,
        collateral: Collateral | None = None,
    ) -> AttestationResult:
        """Appraise evidence as `verify_evidence` does, with this laboratory's roots and time.

        Args:
            evidence: What the VM shows, or its bytes.
            policy: What it must meet.
            nonce: What was sent.
            collateral: What is at hand; all of this laboratory's by default.

        Raises:
            InvalidInput: As `verify_evidence` does.
            EvidenceRefused: A check failed; with all of them.
        """
        return verify_evidence(
            VmEvidence.parse(evidence) if isinstance(evidence, bytes) else evidence,
            policy,
            now=self.now,
            nonce=nonce,
            roots=self.roots,
            collateral=self.collateral() if collateral is None else collateral,
        )
