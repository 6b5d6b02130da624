"""How fast launches are measured, beside the reference tool `sev-snp-measure`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from sevsnpmeasure import guest  # type: ignore[import-untyped]  # it has no types
from sevsnpmeasure.sev_mode import SevMode  # type: ignore[import-untyped]  # nor here

from benchmarks.figures import Figure, compare, cpu_seconds_of, seconds_of
from prism_iac.attestation import VCPU_TYPES, Firmware, SnpLaunch, TdxLaunch
from prism_iac.attestation import measure as measure_launch
from tests.unit.attestation.measurement.firmware import firmware

__all__ = ["measure"]

_DEBIAN: Final = Path(__file__).parents[1] / ".firmware/usr/share/ovmf/OVMF.fd"
_TYPE: Final = "EPYC-v4"
_SIGNATURE: Final = VCPU_TYPES[_TYPE]

_FROM_SCRATCH: Final = 0.75
_WARM: Final = 0.05
_PROCESS: Final = 0.6
_MANY_VCPUS: Final = 1.1


def measure(*, quick: bool) -> Iterator[Figure]:
    """Debian's firmware where `make firmware` has put it, and one of 4 MiB without an erased page."""
    with tempfile.TemporaryDirectory() as folder:
        dense = Path(folder) / "dense.fd"
        dense.write_bytes(firmware(0x400000))
        images = {"dense firmware": dense} | ({"Debian's firmware": _DEBIAN} if _DEBIAN.exists() else {})
        for name, path in images.items():
            yield from _in_process(name, path, rounds=15 if quick else 60)
            yield from _as_process(name, path, Path(folder), rounds=5 if quick else 20)


def _in_process(name: str, path: Path, *, rounds: int) -> Iterator[Figure]:
    warm = Firmware.load(path)
    acts: Mapping[str, Callable[[], object]] = {
        "reference": lambda: _reference(path),
        "from scratch": lambda: _ours(Firmware.load(path)),
        "255 vCPUs": lambda: _ours(Firmware.load(path), vcpus=255),
        "warm": lambda: _ours(warm),
        "MRTD": lambda: measure_launch(TdxLaunch(Firmware.load(path))),
    }
    assert _ours(warm) == _reference(path)
    times: dict[str, list[float]] = {what: [] for what in acts}
    for _ in range(rounds):
        for what, act in acts.items():
            times[what].append(cpu_seconds_of(act))
    reference = times["reference"]
    yield compare(f"measure {name} from scratch", times["from scratch"], reference, at_most=_FROM_SCRATCH)
    yield compare(f"measure {name}, held in memory", times["warm"], reference, at_most=_WARM)
    yield compare(
        f"measure {name} with 255 vCPUs beside one",
        times["255 vCPUs"],
        times["from scratch"],
        at_most=_MANY_VCPUS,
    )
    yield compare(f"measure {name} for TDX beside SEV-SNP", times["MRTD"], times["from scratch"])


def _ours(image: Firmware, *, vcpus: int = 1) -> bytes:
    return measure_launch(SnpLaunch(image, vcpus=vcpus, vcpu_signature=_SIGNATURE)).digest


def _reference(path: Path) -> bytes:
    digest = guest.calc_launch_digest(
        SevMode.SEV_SNP, 1, _SIGNATURE, str(path), None, None, None, guest_features=0x1
    )
    assert isinstance(digest, bytes)
    return digest


def _as_process(name: str, path: Path, folder: Path, *, rounds: int) -> Iterator[Figure]:
    programs = Path(sys.executable).parent
    options = ("--mode", "snp", "--vcpus", "4", "--vcpu-type", _TYPE, "--ovmf", str(path))
    # Compiled once, as an installed package is.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(*command: str | Path) -> str:
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return ended.stdout

    ours, reference = (programs / "prism-iac", "measure", *options), (programs / "sev-snp-measure", *options)
    assert run(*ours) == run(*reference)
    pairs = [(seconds_of(lambda: run(*ours)), seconds_of(lambda: run(*reference))) for _ in range(rounds)]
    yield compare(
        f"prism-iac measure {name}, the whole process",
        [subject for subject, _ in pairs],
        [other for _, other in pairs],
        at_most=_PROCESS,
    )
