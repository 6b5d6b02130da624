from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from prism_iac.attestation import Check, Outcome, TpmEvidence, TpmQuote
from prism_iac.attestation._snp_policy import PcrValues
from prism_iac.attestation.tpm._quotes import check_quotes, key_of_area
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
from prism_iac.errors import InvalidInput
from prism_iac.pki import parse_certificate

SAMPLE = Path(__file__).parent / "samples" / "gce-vtpm.pb"
NONCE = b"nonce"
REGISTERS = {0: b"0" * 32, 4: b"4" * 32}


@pytest.fixture
def sample() -> TpmEvidence:
    return TpmEvidence.parse(SAMPLE.read_bytes())


def _failed(evidence: TpmEvidence, nonce: bytes | None, expected: PcrValues | None = None) -> list[str]:
    checks: list[Check] = list(check_quotes(evidence, expected or PcrValues(), nonce))
    assert checks
    return [check.claim for check in checks if check.outcome is Outcome.FAIL]


def test_quotes_of_a_real_tpm_are_verified(sample: TpmEvidence) -> None:
    wanted = {0: "0f35c214608d93c7a6e68ae7359b4a8be5a0e99eea9107ece427c4dea4e439cf"}
    expected = PcrValues.model_validate({"sha256": wanted})
    assert _failed(sample, bytes.fromhex("9009"), expected) == []
    assert _failed(sample, bytes.fromhex("9008")) == [
        f"TPM quote of {bank}: nonce" for bank in ("sha1", "sha256", "sha384")
    ]


def test_the_key_of_a_real_tpm_is_the_certified_one(sample: TpmEvidence) -> None:
    area = PublicArea.parse(sample.ak_public)
    assert (area.kind, area.attributes, area.is_attestation_key) == (KeyKind.RSA, 0x50072, True)
    assert key_of_area(area) == parse_certificate(sample.ak_certificate).public_key()


def test_evidence_survives_its_bytes(sample: TpmEvidence) -> None:
    assert sample.to_bytes() == SAMPLE.read_bytes()
    for quote in sample.quotes:
        assert AttestedQuote.parse(quote.attested).to_bytes() == quote.attested
        assert Signature.parse(quote.signature).to_bytes() == quote.signature


RSA_KEY = rsa.generate_private_key(65537, 2048)
ANOTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
P384_KEY = ec.generate_private_key(ec.SECP384R1())


def _scalar(value: int) -> bytes:
    return value.to_bytes(48, "big")


def _rsa(scheme: Scheme, algorithm: HashAlgorithm) -> Callable[[bytes], Signature]:
    digest = {HashAlgorithm.SHA256: hashes.SHA256(), HashAlgorithm.SHA384: hashes.SHA384()}[algorithm]
    form = padding.PKCS1v15() if scheme is Scheme.RSASSA else padding.PSS(padding.MGF1(digest), 32)
    return lambda data: Signature(scheme, algorithm, (RSA_KEY.sign(data, form, digest),))


def _p384(data: bytes) -> Signature:
    scalars = decode_dss_signature(P384_KEY.sign(data, ec.ECDSA(hashes.SHA384())))
    return Signature(Scheme.ECDSA, HashAlgorithm.SHA384, tuple(map(_scalar, scalars)))


def _rsa_area() -> PublicArea:
    modulus = RSA_KEY.public_key().public_numbers().n.to_bytes(256, "big")
    return PublicArea(kind=KeyKind.RSA, attributes=AK_ATTRIBUTES, numbers=(modulus,))


def _p384_area() -> PublicArea:
    numbers = P384_KEY.public_key().public_numbers()
    scalars = (_scalar(numbers.x), _scalar(numbers.y))
    return PublicArea(kind=KeyKind.ECC, attributes=AK_ATTRIBUTES, curve=Curve.P384, numbers=scalars)


def _evidence(
    area: PublicArea, sign: Callable[[bytes], Signature], algorithm: HashAlgorithm = HashAlgorithm.SHA256
) -> TpmEvidence:
    digest = hashlib.new(algorithm.label, REGISTERS[0] + REGISTERS[4]).digest()
    attested = AttestedQuote(
        extra_data=NONCE, selections=((HashAlgorithm.SHA256, (0, 4)),), pcr_digest=digest
    ).to_bytes()
    quote = TpmQuote(attested, sign(attested).to_bytes(), HashAlgorithm.SHA256, REGISTERS)
    return TpmEvidence(area.to_bytes(), (quote,))


@pytest.mark.parametrize("scheme", [Scheme.RSASSA, Scheme.RSAPSS])
@pytest.mark.parametrize("algorithm", [HashAlgorithm.SHA256, HashAlgorithm.SHA384])
def test_both_schemes_of_rsa_are_verified(scheme: Scheme, algorithm: HashAlgorithm) -> None:
    evidence = _evidence(_rsa_area(), _rsa(scheme, algorithm), algorithm)
    assert _failed(evidence, NONCE) == []
    modulus = ANOTHER_RSA_KEY.public_key().public_numbers().n.to_bytes(256, "big")
    another = replace(_rsa_area(), numbers=(modulus,))
    assert "TPM quote of sha256: signature" in _failed(replace(evidence, ak_public=another.to_bytes()), NONCE)


def test_keys_on_p384_are_verified() -> None:
    assert _failed(_evidence(_p384_area(), _p384, HashAlgorithm.SHA384), NONCE) == []


def test_a_signature_of_another_kind_than_the_key_is_refused() -> None:
    mixed = _evidence(_p384_area(), _rsa(Scheme.RSASSA, HashAlgorithm.SHA256))
    assert _failed(mixed, NONCE) == ["TPM quote of sha256: signature"]


def test_a_signature_over_sha1_is_refused() -> None:
    evidence = _evidence(_rsa_area(), _rsa(Scheme.RSASSA, HashAlgorithm.SHA256))
    quote = evidence.quotes[0]
    older = replace(Signature.parse(quote.signature), algorithm=HashAlgorithm.SHA1).to_bytes()
    forged = replace(evidence, quotes=(replace(quote, signature=older),))
    assert "TPM quote of sha256: signature" in _failed(forged, NONCE)


@pytest.mark.parametrize(
    ("numbers", "curve"),
    [((b"\1" * 127,), None), ((b"\2" * 256,), None), ((b"x" * 48, b"y" * 48), Curve.P384)],
)
def test_numbers_that_are_no_key_or_a_short_one_are_refused(
    numbers: tuple[bytes, ...], curve: Curve | None
) -> None:
    kind = KeyKind.RSA if curve is None else KeyKind.ECC
    area = PublicArea(kind=kind, attributes=AK_ATTRIBUTES, curve=curve, numbers=numbers)
    assert key_of_area(PublicArea.parse(area.to_bytes())) is None
    evidence = replace(_evidence(_p384_area(), _p384), ak_public=area.to_bytes())
    assert _failed(evidence, NONCE) == ["attestation key"]


def test_without_a_nonce_every_quote_fails() -> None:
    evidence = _evidence(_p384_area(), _p384, HashAlgorithm.SHA384)
    assert _failed(evidence, None) == ["TPM quote of sha256: nonce"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"\0" + data[1:], "no quote that a TPM made"),
        (lambda data: data[:-1], "cut off"),
        (lambda data: data + b"\0", "bytes follow"),
        (lambda data: data.replace(b"\x00\x0b\x03", b"\x00\x99\x03"), "not known"),
        (lambda data: data.replace(b"\x00\x0b\x03", b"\x00\x0b\x09"), "too many registers"),
    ],
)
def test_a_quote_that_is_damaged_is_told(damage: Callable[[bytes], bytes], message: str) -> None:
    attested = _evidence(_p384_area(), _p384).quotes[0].attested
    with pytest.raises(InvalidInput, match=message):
        AttestedQuote.parse(damage(attested))
