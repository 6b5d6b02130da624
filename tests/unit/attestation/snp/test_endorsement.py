from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384

from prism_iac.attestation import Product, Tcb
from prism_iac.attestation.snp._endorsement import Endorsement, endorsement_extensions, read_endorsement
from prism_iac.errors import InvalidInput
from tests.unit.attestation.conftest import NOW

BASE = "1.3.6.1.4.1.3704.1"
MILAN_TCB = Tcb(bytes((4, 0, 0, 0, 0, 0, 0x18, 0xDB)))
HWID = bytes(range(64))


def _certificate(extensions: dict[str, bytes]) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "SEV-VCEK")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    for oid, value in extensions.items():
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), critical=False
        )
    return builder.sign(key, SHA384())


# What AMD writes, byte for byte (attestation.md section 2.5).
MILAN = {
    f"{BASE}.1": bytes.fromhex("020100"),
    f"{BASE}.2": b"\x16\x08Milan-B0",
    f"{BASE}.3.1": bytes.fromhex("020104"),
    f"{BASE}.3.2": bytes.fromhex("020100"),
    f"{BASE}.3.3": bytes.fromhex("020118"),
    f"{BASE}.3.4": bytes.fromhex("020100"),
    f"{BASE}.3.5": bytes.fromhex("020100"),
    f"{BASE}.3.6": bytes.fromhex("020100"),
    f"{BASE}.3.7": bytes.fromhex("020100"),
    f"{BASE}.3.8": bytes.fromhex("020200db"),
    f"{BASE}.4": HWID,
}
TURIN = {
    f"{BASE}.1": bytes.fromhex("020101"),
    f"{BASE}.2": b"\x16\x05Turin",
    f"{BASE}.3.1": bytes.fromhex("020101"),
    f"{BASE}.3.2": bytes.fromhex("020102"),
    f"{BASE}.3.3": bytes.fromhex("020103"),
    f"{BASE}.3.8": bytes.fromhex("020109"),
    f"{BASE}.3.9": bytes.fromhex("020107"),
    f"{BASE}.4": HWID[:8],
}


def test_the_extensions_of_milan_are_read() -> None:
    assert read_endorsement(_certificate(MILAN)) == Endorsement(Product.MILAN, "B0", MILAN_TCB, HWID)


def test_the_extensions_of_turin_are_read_in_its_own_layout() -> None:
    tcb = Tcb(bytes((7, 1, 2, 3, 0, 0, 0, 9)))
    assert read_endorsement(_certificate(TURIN)) == Endorsement(Product.TURIN, "", tcb, HWID[:8])


def test_a_wrapped_chip_identity_is_the_same() -> None:
    wrapped = MILAN | {f"{BASE}.4": b"\x04\x40" + HWID}
    assert read_endorsement(_certificate(wrapped)).hwid == HWID


def test_a_vlek_names_no_chip() -> None:
    vlek = {oid: value for oid, value in MILAN.items() if oid != f"{BASE}.4"}
    assert read_endorsement(_certificate(vlek)).hwid is None


def test_extensions_are_written_as_amd_writes_them() -> None:
    written = endorsement_extensions(Endorsement(Product.MILAN, "B0", MILAN_TCB, HWID))
    assert {extension.oid.dotted_string: extension.value for extension in written} == MILAN


@pytest.mark.parametrize("missing", [f"{BASE}.2", f"{BASE}.3.1", f"{BASE}.3.2", f"{BASE}.3.3", f"{BASE}.3.8"])
def test_a_missing_extension_is_refused(missing: str) -> None:
    with pytest.raises(InvalidInput, match="which product and TCB"):
        read_endorsement(_certificate({oid: value for oid, value in MILAN.items() if oid != missing}))


@pytest.mark.parametrize(
    ("suffix", "value"),
    [
        (".2", b"\x16\x05Maine"),
        (".2", b"\x0c\x08Milan-B0"),
        (".2", b""),
        (".3.1", bytes.fromhex("02020004")),
        (".3.1", bytes.fromhex("0201ff")),
        (".3.1", bytes.fromhex("02020100")),
        (".3.1", bytes.fromhex("0200")),
        (".3.1", bytes.fromhex("020204")),
        (".4", HWID[:63]),
        (".4", b"\x04\x3f" + HWID[:63]),
    ],
)
def test_a_malformed_extension_is_refused(suffix: str, value: bytes) -> None:
    with pytest.raises(InvalidInput, match="which product and TCB"):
        read_endorsement(_certificate(MILAN | {BASE + suffix: value}))


def test_a_certificate_without_extensions_is_refused() -> None:
    with pytest.raises(InvalidInput):
        read_endorsement(_certificate({}))
