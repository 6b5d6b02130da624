"""A simulated platform: evidence in the format of SEV-SNP, signed by keys of this machine.

It protects nothing: whoever can read its folder can sign what they like. Its product, certificates and
CPUID say SIMULATED, so that no policy for hardware accepts what it signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from prism_iac._private_file import write_private
from prism_iac.attestation._simulated_keys import SimulatedAuthority
from prism_iac.attestation.snp._endorsement import Endorsement, read_endorsement
from prism_iac.attestation.snp._evidence import Endorser, Evidence
from prism_iac.attestation.snp._guest_policy import DEFAULT_GUEST_POLICY
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.attestation.snp._tcb import Tcb
from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki import load_certificates, load_private_key

__all__ = [
    "CHIP_ID_BYTES",
    "COCOS_VMPL",
    "SIMULATED_TCB",
    "SimulatedPlatform",
    "damaged",
    "signed_evidence",
    "simulated_report",
]

_KEY_FILE: Final = "vcek.key.pem"
_CHAIN_FILE: Final = "chain.pem"

_REPORT_VERSION: Final = 3
COCOS_VMPL: Final = 2
"""The privilege level that Cocos runs its agent at."""

SIMULATED_TCB: Final = Tcb(bytes((1, 1, 0, 0, 0, 0, 1, 1)))
_FIRMWARE_MAJOR: Final = 1
_FIRMWARE_BUILD: Final = 1
CHIP_ID_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class SimulatedPlatform:
    """The chip of one machine; made once by `create`, then kept in a folder.

    Attributes:
        key: The chip's key, P-384.
        vcek: Its certificate. Then `ask`, the intermediate, and `ark`, the root.
    """

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    vcek: x509.Certificate
    ask: x509.Certificate
    ark: x509.Certificate

    @classmethod
    def create(cls, *, chip_id: bytes, now: datetime) -> SimulatedPlatform:
        """A fresh platform; takes some seconds, for two RSA-4096 keys.

        Args:
            chip_id: 64 random bytes.
            now: The time, aware.
        """
        authority = SimulatedAuthority.create(Product.SIMULATED, now=now)
        chip = authority.endorse(Endorsement(Product.SIMULATED, "", SIMULATED_TCB, chip_id), now=now)
        return cls(chip.key, chip.certificate, authority.ask, authority.ark)

    @classmethod
    def load(cls, folder: Path) -> SimulatedPlatform:
        """The platform that was saved in a folder.

        Raises:
            OSError: A file is missing.
            InvalidInput: A file cannot be read.
        """
        key = load_private_key((folder / _KEY_FILE).read_bytes())
        chain = load_certificates((folder / _CHAIN_FILE).read_bytes())
        try:
            vcek, ask, ark = chain
        except ValueError as error:
            raise damaged(folder) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise damaged(folder)
        return cls(key, vcek, ask, ark)

    @classmethod
    def is_saved_in(cls, folder: Path) -> bool:
        """Whether a folder holds a whole platform."""
        return (folder / _CHAIN_FILE).exists()

    def save(self, folder: Path) -> None:
        """Write the files into an existing folder; the key is for its owner alone.

        A folder in which this was cut off holds no platform, and it can be repeated.
        """
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(folder / _KEY_FILE, pem)
        chain = (self.vcek, self.ask, self.ark)
        write_private(folder / _CHAIN_FILE, b"".join(item.public_bytes(Encoding.PEM) for item in chain))

    @property
    def root_pem(self) -> bytes:
        """The root certificate, PEM: what a verifier of this machine's evidence trusts."""
        return self.ark.public_bytes(Encoding.PEM)

    def attest(
        self,
        *,
        measurement: bytes,
        report_data: bytes,
        report_id: bytes,
        host_data: bytes = bytes(32),
        policy: int = DEFAULT_GUEST_POLICY,
        vmpl: int = COCOS_VMPL,
    ) -> Evidence:
        """Signed evidence with its certificates (attestation.md sections 2.1 and 2.6).

        Args:
            measurement: 48 bytes.
            report_data: 64 bytes that the guest chose.
            report_id: 32 bytes, of one launch.
            host_data: 32 bytes that the host chose.
            policy: The guest policy.
            vmpl: 0 to 3.

        Raises:
            InvalidInput: A field does not fit into a report.
        """
        report = simulated_report(
            read_endorsement(self.vcek),
            policy=policy,
            vmpl=vmpl,
            report_data=report_data,
            measurement=measurement,
            host_data=host_data,
            report_id=report_id,
        )
        certificates = {Endorser.VCEK: self.vcek, Endorser.ASK: self.ask, Endorser.ARK: self.ark}
        return signed_evidence(report, self.key, certificates)


def simulated_report(endorsement: Endorsement, **fields: Any) -> SnpReport:
    """The report of a chip, not signed yet; what is not given is as the chip has it (section 2.1).

    Raises:
        InvalidInput: A field does not fit into a report.
    """
    tcb = endorsement.tcb
    of_chip: dict[str, Any] = {
        "version": _REPORT_VERSION,
        "current_tcb": tcb,
        "reported_tcb": tcb,
        "committed_tcb": tcb,
        "launch_tcb": tcb,
        "chip_id": (endorsement.hwid or b"").ljust(CHIP_ID_BYTES, b"\0"),
        "current_major": _FIRMWARE_MAJOR,
        "current_build": _FIRMWARE_BUILD,
        "committed_major": _FIRMWARE_MAJOR,
        "committed_build": _FIRMWARE_BUILD,
    }
    return SnpReport(**(of_chip | fields))


def signed_evidence(
    report: SnpReport, key: ec.EllipticCurvePrivateKey, certificates: Mapping[Endorser, x509.Certificate]
) -> Evidence:
    """A report signed by a chip's key, and the certificates that travel with it (sections 2.1 and 2.6)."""
    r, s = decode_dss_signature(key.sign(report.signed_bytes(), ec.ECDSA(SHA384())))
    return Evidence(
        replace(report, signature_r=r, signature_s=s),
        {endorser: item.public_bytes(Encoding.DER) for endorser, item in certificates.items()},
    )


def damaged(folder: Path) -> InvalidInput:
    """That a folder's files are not those that were saved there."""
    return InvalidInput(
        [
            Finding(
                path=str(folder),
                message="the files of the simulated platform are damaged",
                fix="Remove the folder; a new platform is made, and VMs of the old one are refused.",
            )
        ]
    )
