from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair, parse_public_key, sign_role, verify_role
from tests.unit.pki.conftest import OpenSsl

ROLE = "data-provider"
PAIRS = {
    "rsa": generate_key_pair(KeyAlgorithm.RSA, 2048),
    "ecdsa": generate_key_pair(KeyAlgorithm.ECDSA),
    "ecdsa-384": generate_key_pair(KeyAlgorithm.ECDSA, 384),
    "ed25519": generate_key_pair(KeyAlgorithm.ED25519),
}


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest) -> KeyPair:
    return PAIRS[request.param]


def test_a_signature_verifies_for_its_key_and_role_alone(pair: KeyPair) -> None:
    signature = sign_role(pair.private_pem, ROLE)
    key = parse_public_key(pair.public_pem)
    other = parse_public_key(generate_key_pair(KeyAlgorithm.ED25519).public_pem)
    assert verify_role(key, ROLE, signature)
    assert not verify_role(key, "consumer", signature)
    assert not verify_role(other, ROLE, signature)


@pytest.mark.parametrize("damage", [b"", b"\x00", b"\xff" * 512])
def test_a_signature_of_any_bytes_is_an_answer_and_no_error(pair: KeyPair, damage: bytes) -> None:
    assert not verify_role(parse_public_key(pair.public_pem), ROLE, damage)


def test_openssl_accepts_what_is_signed_here(pair: KeyPair, tmp_path: Path, openssl: OpenSsl) -> None:
    (tmp_path / "key").write_bytes(pair.public_pem)
    (tmp_path / "role").write_text(ROLE)
    (tmp_path / "signature").write_bytes(sign_role(pair.private_pem, ROLE))
    digest = () if pair is PAIRS["ed25519"] else ("-digest", "sha256")
    checked = openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", str(tmp_path / "key"), "-rawin", *digest,
        "-in", str(tmp_path / "role"), "-sigfile", str(tmp_path / "signature"),
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_openssl_signed_is_accepted_here(pair: KeyPair, tmp_path: Path, openssl: OpenSsl) -> None:
    (tmp_path / "key").write_bytes(pair.private_pem)
    (tmp_path / "role").write_text(ROLE)
    digest = () if pair is PAIRS["ed25519"] else ("-digest", "sha256")
    signed = openssl(
        "pkeyutl", "-sign", "-inkey", str(tmp_path / "key"), "-rawin", *digest,
        "-in", str(tmp_path / "role"), "-out", str(tmp_path / "signature"),
    )  # fmt: skip
    assert signed.returncode == 0, signed.stderr
    key = parse_public_key(pair.public_pem)
    assert verify_role(key, ROLE, (tmp_path / "signature").read_bytes())


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())]
)
def test_the_older_key_forms_sign_as_well(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert sign_role(pem, ROLE)


def test_an_unusable_public_key_is_an_error_and_no_mismatch() -> None:
    with pytest.raises(InvalidInput):
        verify_role(b"garbage", ROLE, b"")
