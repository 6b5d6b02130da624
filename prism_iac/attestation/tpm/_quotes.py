"""Whether quotes were signed by an attestation key over the values that came with them, and which those are.

Source: TPM 2.0 Library revision 1.59, part 2 §10.12.4 (TPMS_QUOTE_INFO) and part 3 §18.4 (TPM2_Quote);
cocos-grpc.md section 8.6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from prism_iac.attestation._check import Check, compare, fail, judge
from prism_iac.attestation._snp_policy import PcrValues
from prism_iac.attestation.tpm._evidence import TpmEvidence, TpmQuote
from prism_iac.attestation.tpm._structures import (
    AttestedQuote,
    Curve,
    HashAlgorithm,
    PublicArea,
    Scheme,
    Signature,
)
from prism_iac.errors import InvalidInput

__all__ = ["AttestationKey", "check_quotes", "key_of_area"]

AttestationKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_HASHES: Final[Mapping[HashAlgorithm, hashes.HashAlgorithm]] = {
    HashAlgorithm.SHA256: hashes.SHA256(),
    HashAlgorithm.SHA384: hashes.SHA384(),
    HashAlgorithm.SHA512: hashes.SHA512(),
}
"""What may be signed; SHA-1 is no longer among it."""

_CURVES: Final = {Curve.P256: ec.SECP256R1(), Curve.P384: ec.SECP384R1()}
_DEFAULT_EXPONENT: Final = 65537
_BITS: Final = range(2048, 8193)


def check_quotes(evidence: TpmEvidence, expected: PcrValues, nonce: bytes | None) -> Iterator[Check]:
    """Every check of a TPM's quotes (part 3 §18.4).

    Args:
        evidence: The quotes and the key; who vouches for the key is not looked at.
        expected: The values of registers.
        nonce: What the relying party sent; None when it sent nothing, which fails.
    """
    try:
        area = PublicArea.parse(evidence.ak_public)
        key = key_of_area(area)
    except InvalidInput as error:
        yield fail("attestation key", "a key of a TPM", error.findings[0].message)
        return
    wanted = "made in the TPM, signing only what the TPM made"
    found = wanted if area.is_attestation_key else "another kind of key"
    yield judge("attestation key", wanted, found, holds=area.is_attestation_key and key is not None)
    if key is None:
        return
    for quote in evidence.quotes:
        yield from _check_quote(quote, key, nonce)
    for bank in (HashAlgorithm.SHA1, HashAlgorithm.SHA256, HashAlgorithm.SHA384):
        values: dict[int, bytes] = getattr(expected, bank.label)
        for number, value in sorted(values.items()):
            yield from _check_register(evidence, bank, number, value)


def key_of_area(area: PublicArea) -> AttestationKey | None:
    """The key whose numbers a public area holds; None when they are no key (part 2 §11.2.4.5, §11.2.5.2)."""
    try:
        if area.curve is None:
            numbers = rsa.RSAPublicNumbers(
                area.exponent or _DEFAULT_EXPONENT, int.from_bytes(area.numbers[0], "big")
            )
            return numbers.public_key() if numbers.n.bit_length() in _BITS else None
        x, y = (int.from_bytes(number, "big") for number in area.numbers)
        return ec.EllipticCurvePublicNumbers(x, y, _CURVES[area.curve]).public_key()
    except ValueError:
        return None


def _check_quote(quote: TpmQuote, key: AttestationKey, nonce: bytes | None) -> Iterator[Check]:
    name = f"TPM quote of {quote.bank.label}"
    try:
        attested, signature = AttestedQuote.parse(quote.attested), Signature.parse(quote.signature)
    except InvalidInput as error:
        yield fail(name, "a quote", error.findings[0].message)
        return
    by_key = "one by the attestation key"
    holds = _is_signed_by(key, signature, quote.attested)
    yield judge(f"{name}: signature", by_key, by_key if holds else "one that is not", holds=holds)
    if nonce is None:
        yield fail(f"{name}: nonce", "the one that was sent", "none was sent")
    else:
        yield compare(f"{name}: nonce", nonce, attested.extra_data)
    numbers = tuple(sorted(quote.pcrs))
    selected = attested.selections == ((quote.bank, numbers),)
    shown = ", ".join(map(str, numbers))
    yield judge(f"{name}: registers", shown, shown if selected else "others", holds=selected)
    digest = hashlib.new(signature.algorithm.label, b"".join(quote.pcrs[number] for number in numbers))
    yield compare(f"{name}: digest of the registers", digest.digest(), attested.pcr_digest)


def _check_register(evidence: TpmEvidence, bank: HashAlgorithm, number: int, value: bytes) -> Iterator[Check]:
    claim = f"PCR {number} of {bank.label}"
    found = [quote.pcrs[number] for quote in evidence.quotes if quote.bank is bank and number in quote.pcrs]
    if not found:
        yield fail(claim, value.hex(), "not quoted")
    for register in found:
        yield compare(claim, value, register)


def _is_signed_by(key: AttestationKey, signature: Signature, data: bytes) -> bool:
    algorithm = _HASHES.get(signature.algorithm)
    if algorithm is None:
        return False
    try:
        match key, signature.scheme:
            case rsa.RSAPublicKey(), Scheme.RSASSA:
                key.verify(signature.numbers[0], data, padding.PKCS1v15(), algorithm)
            case rsa.RSAPublicKey(), Scheme.RSAPSS:
                scheme = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
                key.verify(signature.numbers[0], data, scheme, algorithm)
            case ec.EllipticCurvePublicKey(), Scheme.ECDSA:
                r, s = (int.from_bytes(number, "big") for number in signature.numbers)
                key.verify(encode_dss_signature(r, s), data, ec.ECDSA(algorithm))
            case _:
                return False
    except InvalidSignature:
        return False
    return True
