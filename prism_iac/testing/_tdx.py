"""Quotes of TDX with any field, and the documents that Intel would publish about their platform.

Source: attestation.md sections 4.1 to 4.4.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from prism_iac.attestation import Collateral, TdReport, TdxQuote
from prism_iac.attestation._policy_values import TdxVendor
from prism_iac.attestation.tdx._documents import TcbStatus
from prism_iac.attestation.tdx._enclave import EnclaveReport
from prism_iac.attestation.tdx._pck import PckClaims, pck_extension
from prism_iac.attestation.tdx._quote import SIMULATED_QE_VENDOR
from prism_iac.attestation.tdx._signature import point_of_key, sign_raw
from prism_iac.testing._certificates import Issuer, pem_of

__all__ = ["TdxLab"]

_VENDOR: Final = TdxVendor.SIMULATED
_DOCUMENT_DAYS: Final = 30
_AUTH_DATA: Final = bytes(range(32))

PCK: Final = PckClaims(
    components=bytes((3, 3, 2, 2, 2, 1, 0, 2)).ljust(16, b"\0"),
    pce_svn=11,
    cpu_svn=bytes(16),
    pce_id=bytes(2),
    fmspc=bytes.fromhex("00000000053d"),
)
"""What the simulated platform's certificate says."""

_ENCLAVE: Final = EnclaveReport(
    cpu_svn=bytes(16),
    misc_select=0,
    attributes=b"\x11".ljust(16, b"\0"),
    mr_enclave=b"e" * 32,
    mr_signer=b"s" * 32,
    isv_prod_id=2,
    isv_svn=4,
    report_data=bytes(64),
)

_BODY: Final[dict[str, Any]] = {
    "tee_tcb_svn": bytes((3, 0, 4)).ljust(16, b"\0"),
    "mr_seam": b"M" * 48,
    "td_attributes": (1 << 28).to_bytes(8, "little"),
    "xfam": (0x602E7).to_bytes(8, "little"),
    "mr_td": b"m" * 48,
    "rtmr0": b"0" * 48,
    "rtmr1": b"1" * 48,
    "rtmr2": b"2" * 48,
    "report_data": bytes(64),
}
"""A domain as others are."""


@dataclass(frozen=True, slots=True)
class TdxLab:
    """A maker of quotes, and the roots, documents and revocation lists that go with them.

    Attributes:
        root: Of all. Then `ca`, which issued the platform's certificate, and `tcb_signing`.
        pck: The platform.
        attestation_key: Of its quoting enclave.
        now: When all that it makes begins to be valid.
    """

    root: Issuer
    ca: Issuer
    pck: Issuer
    tcb_signing: Issuer
    attestation_key: ec.EllipticCurvePrivateKey = field(repr=False)
    now: datetime

    @classmethod
    def create(cls, *, now: datetime, platform: PckClaims = PCK) -> TdxLab:
        """A laboratory with keys of its own.

        Args:
            now: The time, aware.
            platform: What the platform's certificate says (attestation.md section 4.4).
        """
        root = Issuer.root(f"{_VENDOR} SGX Root CA", now=now)
        ca = root.issue(f"{_VENDOR} SGX PCK Platform CA", now=now, is_authority=True)
        pck = ca.issue(f"{_VENDOR} SGX PCK Certificate", now=now, extensions=[pck_extension(platform)])
        signing = root.issue(f"{_VENDOR} SGX TCB Signing", now=now)
        return cls(root, ca, pck, signing, ec.generate_private_key(ec.SECP256R1()), now)

    def attest(
        self,
        *,
        version: Literal[4, 5] = 4,
        enclave: EnclaveReport = _ENCLAVE,
        qe_vendor_id: bytes = SIMULATED_QE_VENDOR,
        qe_svn: int = 0,
        pce_svn: int = 0,
        **fields: Any,
    ) -> TdxQuote:
        """A signed quote whose domain has these fields (attestation.md sections 4.1 and 4.2).

        Args:
            version: Of the quote.
            enclave: What the quoting enclave says; its report data is filled in.
            qe_vendor_id: 16 bytes of the header.
            qe_svn: Of the header. So is `pce_svn`.
            pce_svn: Of the header.
            **fields: Of `TdReport`.

        Raises:
            InvalidInput: A field does not fit into a quote.
        """
        quote = TdxQuote(
            version=version,
            qe_vendor_id=qe_vendor_id,
            qe_svn=qe_svn,
            pce_svn=pce_svn,
            body=TdReport(**(_BODY | fields)),
            attestation_key=point_of_key(self.attestation_key.public_key()),
            qe_report_bytes=enclave.to_bytes(),
            qe_auth_data=_AUTH_DATA,
            pck_chain=pem_of(item.certificate for item in (self.pck, self.ca, self.root)),
        )
        return self.sign(quote, enclave=enclave)

    def sign(self, quote: TdxQuote, *, enclave: EnclaveReport = _ENCLAVE) -> TdxQuote:
        """A quote as it is, with signatures that go with it."""
        bound = hashlib.sha256(quote.attestation_key + quote.qe_auth_data).digest().ljust(64, b"\0")
        report = replace(enclave, report_data=bound).to_bytes()
        return replace(
            quote,
            signature=sign_raw(self.attestation_key, quote.signed_bytes()),
            qe_report_bytes=report,
            qe_report_signature=sign_raw(self.pck.key, report),
        )

    @property
    def roots(self) -> bytes:
        """The root, PEM."""
        return pem_of([self.root.certificate])

    def collateral(
        self,
        *,
        status: TcbStatus = TcbStatus.UP_TO_DATE,
        module_status: TcbStatus = TcbStatus.UP_TO_DATE,
        enclave_status: TcbStatus = TcbStatus.UP_TO_DATE,
        revoked: tuple[x509.Certificate, ...] = (),
    ) -> Collateral:
        """The documents and revocation lists of the platform (attestation.md section 4.4, steps 5 and 9).

        Args:
            status: Of the platform's TCB.
            module_status: Of the TDX module, versions 1 and 3.
            enclave_status: Of the quoting enclave.
            revoked: Certificates that their issuers have withdrawn.
        """
        documents = (
            self.document("tcbInfo", self._tcb_info(status, module_status)),
            self.document("enclaveIdentity", self._qe_identity(enclave_status)),
        )
        found = Collateral(
            certificates=(self.tcb_signing.certificate,),
            crls=tuple(issuer.revoke(revoked, now=self.now) for issuer in (self.root, self.ca)),
        )
        for document in documents:
            found = found.with_all_of(Collateral.parse(document))
        return found

    def document(self, name: str, value: dict[str, Any]) -> bytes:
        """A signed answer of Intel's service that says this."""
        raw = json.dumps(value, separators=(",", ":"))
        signature = sign_raw(self.tcb_signing.key, raw.encode()).hex()
        return f'{{"{name}":{raw},"signature":"{signature}"}}'.encode()

    def _dates(self) -> dict[str, str]:
        begin, end = self.now - timedelta(days=1), self.now + timedelta(days=_DOCUMENT_DAYS)
        return {"issueDate": begin.isoformat(), "nextUpdate": end.isoformat()}

    def _tcb_info(self, status: TcbStatus, module_status: TcbStatus) -> dict[str, Any]:
        module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
        return {
            "id": "TDX",
            "version": 3,
            **self._dates(),
            "fmspc": PCK.fmspc.hex(),
            "pceId": PCK.pce_id.hex(),
            "tdxModule": module,
            "tdxModuleIdentities": [
                {"id": name, **module, "tcbLevels": [_level({"isvsvn": 0}, module_status)]}
                for name in ("TDX_01", "TDX_03")
            ],
            "tcbLevels": [
                _level(
                    {
                        "sgxtcbcomponents": [{"svn": svn} for svn in PCK.components],
                        "tdxtcbcomponents": [{"svn": 0}] * 16,
                        "pcesvn": PCK.pce_svn,
                    },
                    status,
                )
            ],
        }

    def _qe_identity(self, status: TcbStatus) -> dict[str, Any]:
        return {
            "id": "TD_QE",
            "version": 2,
            **self._dates(),
            "miscselect": "00" * 4,
            "miscselectMask": "FF" * 4,
            "attributes": _ENCLAVE.attributes.hex(),
            "attributesMask": "FB" + "FF" * 15,
            "mrsigner": _ENCLAVE.mr_signer.hex(),
            "isvprodid": _ENCLAVE.isv_prod_id,
            "tcbLevels": [_level({"isvsvn": _ENCLAVE.isv_svn}, status)],
        }


def _level(tcb: dict[str, Any], status: TcbStatus) -> dict[str, Any]:
    return {"tcb": tcb, "tcbDate": "2024-01-01T00:00:00Z", "tcbStatus": status.value}
