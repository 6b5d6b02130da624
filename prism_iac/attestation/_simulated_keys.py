"""The key hierarchy of a simulated platform: root, intermediate and chip, as AMD's.

Source: attestation.md sections 2.4 and 2.5. Every name says SIMULATED; nothing says AMD.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.x509.oid import NameOID

from prism_iac.attestation.snp._endorsement import Endorsement, endorsement_extensions
from prism_iac.attestation.snp._product import Product

__all__ = ["SimulatedKeys", "make_simulated_keys"]

_RSA_BITS: Final = 4096
_PSS_SALT_BYTES: Final = 48
_CHIP_YEARS: Final = 7
_AUTHORITY_YEARS: Final = 25
_YEAR: Final = timedelta(days=365)
_CLOCK_SKEW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SimulatedKeys:
    """The chip's key and the certificates from it to the root."""

    chip_key: ec.EllipticCurvePrivateKey
    vcek: x509.Certificate
    ask: x509.Certificate
    ark: x509.Certificate


def make_simulated_keys(endorsement: Endorsement, *, now: datetime) -> SimulatedKeys:
    """A fresh hierarchy; takes some seconds, and throws the two RSA keys away.

    Args:
        endorsement: What the chip's certificate says.
        now: The time, aware.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        ark_key, ask_key = pool.map(lambda _: rsa.generate_private_key(65537, _RSA_BITS), range(2))
    chip_key = ec.generate_private_key(ec.SECP384R1())
    ark_name, ask_name = _name(f"ARK-{Product.SIMULATED}"), _name(f"SEV-{Product.SIMULATED}")
    begin = now.astimezone(UTC).replace(microsecond=0) - _CLOCK_SKEW

    def signed(
        builder: x509.CertificateBuilder, issuer: x509.Name, key: rsa.RSAPrivateKey, years: int
    ) -> x509.Certificate:
        return (
            builder.issuer_name(issuer)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + years * _YEAR)
            .sign(key, SHA384(), rsa_padding=padding.PSS(padding.MGF1(SHA384()), salt_length=_PSS_SALT_BYTES))
        )

    ark = signed(_authority(ark_name, ark_key.public_key()), ark_name, ark_key, _AUTHORITY_YEARS)
    ask = signed(_authority(ask_name, ask_key.public_key()), ark_name, ark_key, _AUTHORITY_YEARS)
    chip = x509.CertificateBuilder().subject_name(_name("SEV-VCEK")).public_key(chip_key.public_key())
    for extension in endorsement_extensions(endorsement):
        chip = chip.add_extension(extension, critical=False)
    return SimulatedKeys(chip_key, signed(chip, ask_name, ask_key, _CHIP_YEARS), ask, ark)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "prism-iac"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "SIMULATED platform, no hardware"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _authority(name: x509.Name, key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
