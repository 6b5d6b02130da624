from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair, load_private_key
from tests.unit.pki.conftest import OpenSsl


@pytest.mark.parametrize(
    ("algorithm", "size", "kind"),
    [
        (KeyAlgorithm.RSA, 2048, rsa.RSAPrivateKey),
        (KeyAlgorithm.ECDSA, None, ec.EllipticCurvePrivateKey),
        (KeyAlgorithm.ECDSA, 384, ec.EllipticCurvePrivateKey),
        (KeyAlgorithm.ED25519, None, ed25519.Ed25519PrivateKey),
    ],
)
def test_key_pairs_are_read_by_strict_readers(
    algorithm: KeyAlgorithm, size: int | None, kind: type, tmp_path: Path, openssl: OpenSsl
) -> None:
    pair = generate_key_pair(algorithm, size)
    assert isinstance(load_pem_private_key(pair.private_pem, None), kind)
    (tmp_path / "private.pem").write_bytes(pair.private_pem)
    derived = openssl("pkey", "-in", str(tmp_path / "private.pem"), "-pubout")
    assert derived.stdout.encode() == pair.public_pem


def test_rsa_keys_have_4096_bits_by_default() -> None:
    key = load_private_key(generate_key_pair(KeyAlgorithm.RSA).private_pem)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 4096


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"size.*ecdsa keys"):
        generate_key_pair(KeyAlgorithm.ECDSA, 521)


def test_a_private_key_is_not_printed() -> None:
    pair = generate_key_pair(KeyAlgorithm.ED25519)
    body = pair.private_pem.splitlines()[1].decode()
    assert body not in repr(pair)
    assert body not in str(pair)


def _relabelled(pem: bytes, label: str) -> bytes:
    lines = pem.decode().splitlines()
    return "\n".join([f"-----BEGIN {label}-----", *lines[1:-1], f"-----END {label}-----"]).encode()


def test_pkcs1_under_the_label_of_pkcs8_is_read_as_the_participants_tool_writes_it() -> None:
    key = rsa.generate_private_key(65537, 2048)
    pkcs1 = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    loaded = load_private_key(_relabelled(pkcs1, "PRIVATE KEY"))
    assert loaded.public_key() == key.public_key()


def test_sec1_is_read_under_its_label() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    sec1 = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert sec1.startswith(b"-----BEGIN EC PRIVATE KEY-----")
    assert load_private_key(sec1).public_key() == key.public_key()


def test_the_key_is_found_behind_curve_parameters_and_with_windows_line_ends(
    tmp_path: Path, openssl: OpenSsl
) -> None:
    path = tmp_path / "key.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", str(path))
    assert b"EC PARAMETERS" in path.read_bytes()
    load_private_key(path.read_bytes().replace(b"\n", b"\r\n"))


@pytest.mark.fault(48)
@pytest.mark.parametrize("style", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key_is_refused_with_the_way_out(style: PrivateFormat) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, style, BestAvailableEncryption(b"passphrase"))
    with pytest.raises(InvalidInput, match=r"passphrase\n.*openssl pkey -in"):
        load_private_key(pem)


def test_other_private_keys_are_refused_without_repeating_them() -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  # weak on purpose
    for key in (weak, ec.generate_private_key(ec.SECP256K1()), dsa.generate_private_key(1024)):  # noqa: S505  # weak on purpose
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(InvalidInput, match="kind that Prism does not use") as refusal:
            load_private_key(pem)
        assert pem.splitlines()[1].decode() not in str(refusal.value)


def test_an_openssh_key_is_refused_with_the_command_that_converts_it() -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    )
    with pytest.raises(InvalidInput, match="ssh-keygen -p"):
        load_private_key(pem)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"-----BEGIN PRIVATE KEY-----",
        b"-----BEGIN PRIVATE KEY",
        b"-----BEGIN PRIVATE KEY-----\n%%%\n-----END PRIVATE KEY-----",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        generate_key_pair(KeyAlgorithm.ED25519).public_pem,
        base64.b64decode(generate_key_pair(KeyAlgorithm.ED25519).private_pem.splitlines()[1]),
    ],
)
def test_what_is_no_private_key_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        load_private_key(data)


@given(
    st.binary(),
    st.sampled_from([b"PRIVATE KEY", b"EC PRIVATE KEY", b"RSA PRIVATE KEY"]),
)
def test_no_bytes_make_the_reader_fail_otherwise(body: bytes, label: bytes) -> None:
    pem = b"-----BEGIN " + label + b"-----\n" + base64.b64encode(body) + b"\n-----END " + label + b"-----\n"
    for data in (body, pem):
        with pytest.raises(InvalidInput):
            load_private_key(data)
