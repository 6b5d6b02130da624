from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509

from prism_iac.attestation._der import Tag, item
from prism_iac.attestation.tdx._pck import PckClaims, pck_extension, read_pck
from prism_iac.attestation.tdx._signature import is_signed_by
from prism_iac.errors import InvalidInput
from prism_iac.testing import EvidenceLab, Issuer
from tests.unit.attestation.conftest import NOW

CLAIMS = PckClaims(
    components=bytes(range(200, 216)),
    pce_svn=0x1234,
    cpu_svn=b"c" * 16,
    pce_id=b"\1\2",
    fmspc=b"fmspc!",
    ppid=b"p" * 16,
)


def _certificate(lab: EvidenceLab, *extensions: x509.ExtensionType) -> x509.Certificate:
    issuer: Issuer = lab.tdx.ca
    return issuer.issue("a platform", now=NOW, extensions=extensions).certificate


def test_claims_are_read_as_they_were_written(lab: EvidenceLab) -> None:
    assert read_pck(_certificate(lab, pck_extension(CLAIMS))) == CLAIMS


def test_a_certificate_without_the_extension_is_refused(lab: EvidenceLab) -> None:
    with pytest.raises(InvalidInput, match="which platform and TCB"):
        read_pck(_certificate(lab))


@pytest.mark.parametrize(
    "claims",
    [
        replace(CLAIMS, cpu_svn=b"c" * 15),
        replace(CLAIMS, fmspc=b"short"),
        replace(CLAIMS, pce_id=b""),
        replace(CLAIMS, ppid=b"p" * 17),
        replace(CLAIMS, components=bytes(15)),
    ],
)
def test_claims_of_another_length_are_refused(lab: EvidenceLab, claims: PckClaims) -> None:
    with pytest.raises(InvalidInput, match="which platform and TCB"):
        read_pck(_certificate(lab, pck_extension(claims)))


@pytest.mark.parametrize("damage", ["doubled", "cut", "garbage", "empty"])
def test_a_damaged_extension_is_refused(lab: EvidenceLab, damage: str) -> None:
    whole = pck_extension(CLAIMS)
    content = whole.value[4:]  # behind the tag and a length of three bytes
    damaged = {
        "doubled": item(Tag.SEQUENCE, content + content),
        "cut": whole.value[:-1],
        "garbage": b"\x04\x02ab",
        "empty": b"",
    }[damage]
    with pytest.raises(InvalidInput, match="which platform and TCB"):
        read_pck(_certificate(lab, x509.UnrecognizedExtension(whole.oid, damaged)))


def test_only_keys_on_p256_sign_quotes(lab: EvidenceLab) -> None:
    key = lab.tdx.pck.key
    assert not is_signed_by(lab.snp.authority.ark_key.public_key(), bytes(64), b"")
    assert not is_signed_by(key.public_key(), bytes(63), b"")
    assert not is_signed_by(None, bytes(64), b"")
