"""Keys and certificates that stack files of the tests name; made when the tests run, never committed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority, generate_key_pair

__all__ = ["LONG_AGO", "make_materials"]

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LONG = timedelta(days=365 * 60)
KEY = KeySpec(algorithm=KeyAlgorithm.ECDSA)


def make_materials(folder: Path) -> None:
    """Write `keys/` and `certs/` into a folder. What is valid is valid until 2079."""
    keys, certs = folder / "keys", folder / "certs"
    keys.mkdir()
    certs.mkdir()
    for name in ("ada", "grace"):
        pair = generate_key_pair(KeyAlgorithm.ED25519)
        (keys / f"{name}.pem").write_bytes(pair.private_pem)
        (keys / f"{name}.pub.pem").write_bytes(pair.public_pem)
    key = load_pem_public_key((keys / "ada.pub.pem").read_bytes())
    (keys / "openssh.pub").write_bytes(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    (keys / "ada.pub.der").write_bytes(der)
    (keys / "ada.pub.b64").write_bytes(base64.b64encode(der))
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505  # weak on purpose
    (keys / "rsa1024.pub.pem").write_bytes(weak.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    authority = Authority.create("Test CA", key=KEY, now=LONG_AGO, validity=LONG)
    other = Authority.create("Other CA", key=KEY, now=LONG_AGO, validity=LONG)
    (certs / "ca.pem").write_bytes(authority.certificate_pem)
    (certs / "other-ca.pem").write_bytes(other.certificate_pem)
    for name, validity in (("server", LONG), ("other", LONG), ("expired", timedelta(days=30))):
        issued = authority.issue(
            common_name=name, dns_names=["localhost"], key=KEY, now=LONG_AGO, validity=validity
        )
        (certs / f"{name}.pem").write_bytes(issued.certificate_pem)
        (certs / f"{name}.key").write_bytes(issued.key_pem)
        (certs / f"{name}.key").chmod(0o600)
    (certs / "open.key").write_bytes((certs / "server.key").read_bytes())
    (certs / "open.key").chmod(0o640)
