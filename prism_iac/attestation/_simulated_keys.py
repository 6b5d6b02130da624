"""The key hierarchy of simulated platforms: root, intermediate and chips, as AMD's.

Source: attestation.md sections 2.4, 2.5 and 2.7. Every name says SIMULATED; nothing says AMD.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.x509.oid import NameOID

from prism_iac.attestation.snp._endorsement import Endorsement, endorsement_extensions
from prism_iac.attestation.snp._product import Product

__all__ = ["SimulatedAuthority", "SimulatedChip", "simulated_name"]

RSA_BITS: Final = 4096
_PSS_SALT_BYTES: Final = 48
_CHIP_YEARS: Final = 7
_AUTHORITY_YEARS: Final = 25
_YEAR: Final = timedelta(days=365)
_CRL_VALIDITY: Final = timedelta(days=90)
_CLOCK_SKEW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SimulatedChip:
    """A chip's key and what the authority says of it."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class SimulatedAuthority:
    """Who endorses simulated chips.

    Attributes:
        ark: The root, with its key. Then `ask`, the intermediate, with its own.
    """

    ark: x509.Certificate
    ark_key: rsa.RSAPrivateKey = field(repr=False)
    ask: x509.Certificate
    ask_key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def create(
        cls,
        product: Product,
        *,
        now: datetime,
        is_for_providers: bool = False,
        rsa_bits: int = RSA_BITS,
    ) -> SimulatedAuthority:
        """A fresh authority; takes some seconds with keys as large as AMD's (attestation.md section 2.4).

        Args:
            product: A simulated one.
            now: The time, aware.
            is_for_providers: Its intermediate endorses VLEKs, not VCEKs.
            rsa_bits: The size of both keys.
        """
        assert product.is_simulated, "keys of this package never say that they are hardware's"
        with ThreadPoolExecutor(max_workers=2) as pool:
            ark_key, ask_key = pool.map(lambda _: rsa.generate_private_key(65537, rsa_bits), range(2))
        ark_name = simulated_name(f"ARK-{product}")
        ask_name = simulated_name(f"SEV-{'VLEK-' if is_for_providers else ''}{product}")
        ark = _signed(_authority(ark_name, ark_key.public_key()), ark_name, ark_key, now, _AUTHORITY_YEARS)
        ask = _signed(_authority(ask_name, ask_key.public_key()), ark_name, ark_key, now, _AUTHORITY_YEARS)
        return cls(ark, ark_key, ask, ask_key)

    def endorse(self, endorsement: Endorsement, *, now: datetime) -> SimulatedChip:
        """A fresh key with the certificate that says this of it (attestation.md section 2.5)."""
        key = ec.generate_private_key(ec.SECP384R1())
        name = simulated_name("SEV-VCEK" if endorsement.csp_id is None else "SEV-VLEK")
        builder = x509.CertificateBuilder().subject_name(name).public_key(key.public_key())
        for extension in endorsement_extensions(endorsement):
            builder = builder.add_extension(extension, critical=False)
        return SimulatedChip(key, _signed(builder, self.ask.subject, self.ask_key, now, _CHIP_YEARS))

    def revoke(
        self, certificates: Iterable[x509.Certificate], *, now: datetime
    ) -> x509.CertificateRevocationList:
        """The root's revocation list with these on it, valid for 90 days (attestation.md section 2.7)."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.ark.subject)
            .last_update(now - _CLOCK_SKEW)
            .next_update(now + _CRL_VALIDITY)
        )
        for certificate in certificates:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now).build())
        return builder.sign(self.ark_key, SHA384(), rsa_padding=_PSS)


_PSS: Final = padding.PSS(padding.MGF1(SHA384()), salt_length=_PSS_SALT_BYTES)


def simulated_name(common_name: str) -> x509.Name:
    """A name that tells that there is no hardware behind it."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "prism-iac"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "SIMULATED platform, no hardware"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _signed(
    builder: x509.CertificateBuilder, issuer: x509.Name, key: rsa.RSAPrivateKey, now: datetime, years: int
) -> x509.Certificate:
    begin = now.astimezone(UTC).replace(microsecond=0) - _CLOCK_SKEW
    return (
        builder.issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + years * _YEAR)
        .sign(key, SHA384(), rsa_padding=_PSS)
    )


def _authority(name: x509.Name, key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
