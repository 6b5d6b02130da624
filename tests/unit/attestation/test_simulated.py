from __future__ import annotations

import os
import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.attestation import (
    Launch,
    PolicyDocument,
    Product,
    SimulatedGuest,
    SimulatedPlatform,
    verify_report,
)
from prism_iac.errors import InvalidInput
from tests.unit.attestation.conftest import CHIP_ID, MEASUREMENT, NOW, REPORT_DATA, REPORT_ID


@pytest.fixture
def guest(platform: SimulatedPlatform) -> SimulatedGuest:
    return SimulatedGuest(
        platform, Launch(MEASUREMENT, REPORT_ID, host_data=b"h" * 32, policy=0x20000, vmpl=1)
    )


def test_the_hierarchy_has_the_forms_of_the_real_one(platform: SimulatedPlatform) -> None:
    for authority in (platform.ark, platform.ask):
        key = authority.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == 4096
    for certificate in (platform.ark, platform.ask, platform.vcek):
        parameters = certificate.signature_algorithm_parameters
        assert isinstance(parameters, padding.PSS)
        assert parameters._salt_length == 48
        assert isinstance(certificate.signature_hash_algorithm, SHA384)
    chip_key = platform.vcek.public_key()
    assert isinstance(chip_key, ec.EllipticCurvePublicKey)
    assert isinstance(chip_key.curve, ec.SECP384R1)
    years = (platform.vcek.not_valid_after_utc - platform.vcek.not_valid_before_utc) / timedelta(days=365)
    assert years == 7


def test_openssl_verifies_the_chain(platform: SimulatedPlatform, tmp_path: Path) -> None:
    for name, certificate in (("ark", platform.ark), ("ask", platform.ask), ("vcek", platform.vcek)):
        (tmp_path / name).write_bytes(certificate.public_bytes(Encoding.PEM))
    checked = subprocess.run(
        [
            "openssl",
            "verify",
            "-attime",
            str(int(NOW.timestamp())),
            "-CAfile",
            "ark",
            "-untrusted",
            "ask",
            "vcek",
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr


def test_every_name_says_that_it_is_simulated(platform: SimulatedPlatform) -> None:
    for certificate in (platform.ark, platform.ask, platform.vcek):
        for name in (certificate.subject, certificate.issuer):
            text = name.rfc4514_string()
            assert "SIMULATED" in text
            assert "Advanced Micro Devices" not in text


def test_a_report_says_by_its_cpuid_that_it_is_simulated(platform: SimulatedPlatform) -> None:
    evidence = platform.attest(measurement=MEASUREMENT, report_data=REPORT_DATA, report_id=REPORT_ID)
    assert evidence.report.product is Product.SIMULATED
    assert evidence.report.chip_id == CHIP_ID


def test_a_platform_is_the_same_after_it_was_kept(platform: SimulatedPlatform, tmp_path: Path) -> None:
    platform.save(tmp_path)
    kept = SimulatedPlatform.load(tmp_path)
    assert (kept.vcek, kept.ask, kept.ark) == (platform.vcek, platform.ask, platform.ark)
    assert kept.key.private_numbers() == platform.key.private_numbers()


def test_the_files_of_a_platform_are_their_owners_alone(platform: SimulatedPlatform, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        platform.save(tmp_path)
    finally:
        os.umask(old)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_platform_whose_saving_was_cut_off_is_not_there(
    platform: SimulatedPlatform, tmp_path: Path
) -> None:
    assert not SimulatedPlatform.is_saved_in(tmp_path)
    platform.save(tmp_path)
    assert SimulatedPlatform.is_saved_in(tmp_path)
    (tmp_path / "chain.pem").unlink()  # it is written last
    assert not SimulatedPlatform.is_saved_in(tmp_path)


def test_keys_are_not_printed(platform: SimulatedPlatform) -> None:
    assert "key=" not in repr(platform)


def test_a_guest_attests_its_launch_and_chooses_the_report_data(guest: SimulatedGuest) -> None:
    report = guest.attest(REPORT_DATA).report
    assert report.report_data == REPORT_DATA
    assert report.measurement == MEASUREMENT
    assert (report.host_data, report.policy, report.vmpl) == (b"h" * 32, 0x20000, 1)
    with pytest.raises(InvalidInput, match="report_data"):
        guest.attest(b"short")


def test_a_guest_is_the_same_after_it_was_kept(guest: SimulatedGuest, tmp_path: Path) -> None:
    guest.save(tmp_path)
    assert SimulatedGuest.load(tmp_path).launch == guest.launch


def test_a_kept_guest_meets_the_policy_of_the_first(
    platform: SimulatedPlatform, policy: PolicyDocument, tmp_path: Path
) -> None:
    plain = SimulatedGuest(platform, Launch(MEASUREMENT, REPORT_ID))
    plain.save(tmp_path)
    evidence = SimulatedGuest.load(tmp_path).attest(REPORT_DATA)
    assert verify_report(
        evidence, policy, roots=platform.root_pem, now=NOW, report_data=REPORT_DATA
    ).is_simulated


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("launch.json", b"{}"),
        ("launch.json", b"not json"),
        ("launch.json", b'{"measurement": "zz"}'),
        ("chain.pem", b""),
        ("vcek.key.pem", b"nothing"),
    ],
)
def test_damaged_files_are_told(guest: SimulatedGuest, file: str, content: bytes, tmp_path: Path) -> None:
    guest.save(tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InvalidInput):
        SimulatedGuest.load(tmp_path)
