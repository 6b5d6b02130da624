from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest

import prism_iac.attestation
from prism_iac.attestation import Firmware, KernelHashes, Part, SevLaunch, TdxLaunch, measure, measurement
from tests.unit.attestation.measurement.firmware import firmware

PART = Part("kernel", "how", b"digest")


def test_values_are_compared_by_their_fields() -> None:
    assert Part(name="kernel", detail="how", digest=b"digest") == PART
    assert hash(Part("kernel", "how", b"digest")) == hash(PART)
    assert Part("kernel", "how") != PART
    assert PART != ("kernel", "how", b"digest")
    assert KernelHashes(b"a", b"b", b"c") != Part("a", "b", b"c")


def test_values_show_their_fields() -> None:
    assert repr(PART) == "Part(name='kernel', detail='how', digest=b'digest')"
    assert repr(Firmware(b"12345", name="svsm")) == "Firmware(5 bytes, name='svsm')"


def test_values_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="frozen: name cannot be changed"):
        PART.name = "initrd"  # type: ignore[misc]  # that is what is refused
    with pytest.raises(AttributeError, match="frozen: name cannot be removed"):
        del PART.name


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        (("kernel",), {}),
        (("kernel", "how"), {"size": 1}),
        (("kernel", "how"), {"name": "initrd"}),
        (("kernel", "how", b"", b""), {}),
    ],
)
def test_values_have_all_their_fields_and_no_others(
    values: tuple[object, ...], named: dict[str, object]
) -> None:
    with pytest.raises(TypeError, match="Part"):
        Part(*values, **named)  # type: ignore[arg-type]  # that is what is refused


def test_images_are_compared_by_their_bytes() -> None:
    assert Firmware(firmware()) == Firmware(firmware(), name="other")
    assert len({SevLaunch(Firmware(firmware())), SevLaunch(Firmware(firmware()))}) == 1
    assert Firmware(firmware()) != Firmware(firmware(0x20000))
    assert Firmware(b"a") != b"a"


def test_files_are_measured_like_their_bytes(tmp_path: Path) -> None:
    ovmf, kernel, initrd = tmp_path / "ovmf", tmp_path / "kernel", tmp_path / "initrd"
    ovmf.write_bytes(firmware())
    kernel.write_bytes(b"kernel\n")
    initrd.write_bytes(b"initrd\n")
    assert Firmware.load(ovmf) == Firmware(firmware())
    assert KernelHashes.load(kernel, initrd=initrd, command_line="quiet") == KernelHashes.of(
        b"kernel\n", initrd=b"initrd\n", command_line="quiet"
    )
    assert KernelHashes.load(str(kernel)) == KernelHashes.of(b"kernel\n")
    with pytest.raises(FileNotFoundError):
        Firmware.load(tmp_path / "nowhere")


def test_a_command_line_of_other_bytes_is_measured_as_they_are() -> None:
    assert KernelHashes.of(b"", command_line="r\udce9sum\udce9") != KernelHashes.of(
        b"", command_line="résumé"
    )


def test_a_large_initrd_is_not_held_in_memory(tmp_path: Path) -> None:
    initrd = tmp_path / "initrd"
    with initrd.open("wb") as file:
        file.truncate(64 << 20)
    gc.collect()
    tracemalloc.start()
    try:
        KernelHashes.load(initrd, initrd=initrd)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_every_name_of_the_room_is_one_of_the_room_above() -> None:
    assert set(measurement.__all__) <= set(prism_iac.attestation.__all__)
    for name in prism_iac.attestation.__all__:
        assert getattr(prism_iac.attestation, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Measurment'"):
        prism_iac.attestation.Measurment  # noqa: B018  # looking it up is the point
    assert measure(TdxLaunch(Firmware(firmware()))).digest
