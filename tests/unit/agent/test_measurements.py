"""The list of what a simulated guest ran, read as `cocos-cli ima-measurements` reads it."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from pathlib import Path

import pytest

from prism_iac.agent.server._measurements import MeasurementList
from prism_iac.attestation import SimulatedGuest
from tests.contract.agent.conftest import guest

__all__ = ["guest"]


def replayed(lines: bytes) -> bytes:
    """PCR 10 after the extension with the second field of each line (cocos-grpc.md section 7.4)."""
    register = bytes(20)
    for line in lines.decode().splitlines():
        number, template, *_ = line.split()
        assert number == "10"
        register = hashlib.sha1(register + bytes.fromhex(template)).digest()  # noqa: S324  # the bank of the protocol
    return register


def test_the_register_is_that_of_the_list(guest: SimulatedGuest, tmp_path: Path) -> None:
    measurements = MeasurementList(guest)
    registers = [measurements.register]
    for content in (b"one", b"two"):
        (tmp_path / "algo").write_bytes(content)
        asyncio.run(measurements.measure(tmp_path / "algo"))
        registers.append(measurements.register)
        assert measurements.register == replayed(measurements.to_bytes())
    assert len(set(registers)) == 3


def test_a_line_has_the_fields_of_the_template(guest: SimulatedGuest, tmp_path: Path) -> None:
    measurements = MeasurementList(guest)
    file = tmp_path / "algo"
    file.write_bytes(b"one")
    asyncio.run(measurements.measure(file))
    expected = []
    for digest, name in (
        (hashlib.sha256(guest.launch.measurement), "boot_aggregate"),
        (hashlib.sha256(b"one"), str(file)),
    ):
        data = b"sha256:\0" + digest.digest()
        template = (
            struct.pack("<I", len(data)) + data + struct.pack("<I", len(name) + 1) + name.encode() + b"\0"
        )
        hashed = hashlib.sha1(template).hexdigest()  # noqa: S324  # the bank of the protocol
        expected.append(f"10 {hashed} ima-ng sha256:{digest.hexdigest()} {name}\n")
    assert measurements.to_bytes().decode() == "".join(expected)


def test_a_file_that_is_not_there_leaves_the_list_alone(guest: SimulatedGuest, tmp_path: Path) -> None:
    measurements = MeasurementList(guest)
    before = measurements.to_bytes()
    with pytest.raises(OSError, match="No such file"):
        asyncio.run(measurements.measure(tmp_path / "nowhere"))
    assert measurements.to_bytes() == before
