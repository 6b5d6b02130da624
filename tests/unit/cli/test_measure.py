from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from prism_iac.attestation import VMMS
from prism_iac.cli.measure._options import VMM_TYPES
from tests.unit.attestation.measurement.firmware import SVSM_INFO, entries_of, firmware, footer, words
from tests.unit.cli.conftest import Run

V4 = "9bf407378dfcf0d228252b1cd2226393180eb26e46f32e2ddb657a9fc5995f73dbf79fefb7e4dca3c3bed7096f06c7df"
OVMF_HASH = "88364a91ea029046ecc1ed65cd615f608566512b6db7828bacc0a76a09182d7b0f6500f885024133d1a15436428ef46f"
KERNEL = ("--kernel", "kernel", "--initrd", "initrd", "--append", "console=ttyS0 loglevel=7")
SNP = ("--mode", "snp", "--vcpus", "4", "--ovmf", "OVMF.fd", "--vcpu-type", "EPYC-v4")
TYPE = ("--vcpu-type", "EPYC-v4")
NOT_PLAIN = "--"
"""Ends the options, which nobody writes in a script: the library that reads arguments then reads them all."""


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    (here / "OVMF.fd").write_bytes(firmware())
    (here / "VARS.fd").write_bytes(bytes(0x2000))
    (here / "svsm").write_bytes(firmware(0x8000, table=footer({**entries_of(), SVSM_INFO: words(0x10)})))
    (here / "kernel").write_bytes(b"kernel\n")
    (here / "initrd").write_bytes(b"initrd\n")


def test_it_prints_just_the_digest(run: Run) -> None:
    ended = run("measure", *SNP, *KERNEL)
    assert (ended.code, ended.out, ended.err) == (0, f"{V4}\n", "")


AS_THE_REFERENCE_TOOL = {
    "snp": [*SNP, *KERNEL],
    "snp without a kernel": [*SNP],
    "snp as base64": [*SNP, *KERNEL, "--output-format", "base64"],
    "snp from a hash": [*SNP, *KERNEL, "--snp-ovmf-hash", OVMF_HASH],
    "snp with features": [*SNP, "--guest-features", "0x21"],
    "snp of a signature": ["--mode=snp", "--vcpus=2", "--ovmf=OVMF.fd", "--vcpu-sig=0x00a00f11"],
    "snp of a decimal signature": ["--mode=snp", "--vcpus=2", "--ovmf=OVMF.fd", "--vcpu-sig=10489617"],
    "snp of a model": [
        *("--mode", "snp", "--vcpus", "2", "--ovmf", "OVMF.fd"),
        *("--vcpu-family", "25", "--vcpu-model", "17", "--vcpu-stepping", "0"),
    ],
    "a model before a signature before a type": [
        *(*SNP, "--vcpu-sig", "0x1"),
        *("--vcpu-family", "25", "--vcpu-model", "17", "--vcpu-stepping", "0"),
    ],
    "a signature before a type": [*SNP, "--vcpu-sig", "0x1"],
    "snp on ec2": ["--mode", "snp", "--vcpus", "4", "--ovmf", "OVMF.fd", "--vmm-type", "ec2"],
    "snp on gce": ["--mode", "snp", "--vcpus", "4", "--ovmf", "OVMF.fd", "--vmm-type", "gce"],
    "an empty command line": [*SNP, "--kernel", "kernel", "--append", ""],
    "an empty command line without a kernel": [*SNP, "--append="],
    "a command line that looks like an option": [*SNP, "--kernel", "kernel", "--append=--mode"],
    "the last of several": ["--vcpus", "1", *SNP],
    "the hash of firmware": ["--mode", "snp:ovmf-hash", "--ovmf", "OVMF.fd"],
    "the hash of firmware as base64": [
        *("--mode", "snp:ovmf-hash", "--ovmf", "OVMF.fd", "--output-format", "base64"),
    ],
    "seves": ["--mode", "seves", "--vcpus", "4", "--ovmf", "OVMF.fd", *TYPE, *KERNEL],
    "sev": ["--mode", "sev", "--ovmf", "OVMF.fd", *KERNEL],
    "an svsm": [
        *("--mode", "snp:svsm", "--vcpus", "2", "--ovmf", "OVMF.fd", *TYPE),
        *("--svsm", "svsm", "--vars-file", "VARS.fd"),
    ],
    "an svsm and a size": [
        *("--mode", "snp:svsm", "--vcpus", "2", "--ovmf", "OVMF.fd", *TYPE),
        *("--svsm", "svsm", "--vars-size", "8192"),
    ],
}


@pytest.mark.parametrize("arguments", AS_THE_REFERENCE_TOOL.values(), ids=AS_THE_REFERENCE_TOOL)
def test_it_prints_what_the_reference_tool_prints(
    arguments: list[str], run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sevsnpmeasure.cli import main  # type: ignore[import-untyped]  # it has no types

    monkeypatch.setattr(sys, "argv", ["sev-snp-measure", *arguments])
    assert main() == 0
    expected = capsys.readouterr().out
    assert run("measure", *arguments).out == expected
    assert run("measure", *arguments, NOT_PLAIN).out == expected


def test_it_takes_the_letters_of_the_other_tool(run: Run) -> None:
    letters = ("-m", "snp", "-o", "OVMF.fd", "-k", "kernel", "-i", "initrd", "-a", KERNEL[-1])
    assert run("measure", *letters, "--vcpus", "4", "-t", "EPYC-v4").out == f"{V4}\n"
    assert run("measure", *letters, "--vcpus", "4", "-s", "0x800f12").out == f"{V4}\n"
    assert run("measure", *letters, "--vcpus", "4", "-f", "23", "-l", "1", "-p", "2").out == f"{V4}\n"
    assert run("measure", "-msnp", *letters[2:], "--vcpus", "4", "-t", "EPYC-v4").out == f"{V4}\n"


def test_it_measures_tdx_in_either_order(run: Run) -> None:
    one_by_one, after_all = (
        run("measure", "--mode", "tdx", "--ovmf", "OVMF.fd", *more).out for more in ((), ("--two-pass",))
    )
    assert one_by_one.startswith("f5e9cc25dab6386d")
    assert after_all.startswith("7faa02963dc9184b")


def test_it_explains(run: Run) -> None:
    ended = run("measure", *SNP, *KERNEL, "--explain")
    lines = ended.out.splitlines()
    assert lines[0].split() == ["PART", "HOW", "HASH"]
    assert lines[1].split()[-1] == OVMF_HASH
    assert lines[-1].split() == ["measurement", "of", "the", "mode", "snp", V4]
    assert any(
        "VMSA of QEMU, begins at 0xfffffff0, signature 0x800f12, features 0x1" in line for line in lines
    )


@pytest.mark.parametrize("more", [(), (NOT_PLAIN,)])
def test_it_prints_a_document(run: Run, more: tuple[str, ...]) -> None:
    document = json.loads(run("measure", *SNP, *KERNEL, "--json", *more).out)
    assert (document["mode"], document["digest"]) == ("snp", V4)
    assert document["parts"][0] == {
        "name": "firmware",
        "detail": "16 NORMAL pages at 0xffff0000",
        "digest": OVMF_HASH,
    }
    assert document["parts"][1]["digest"] == ""


WRONG_USE = {
    "nothing": [],
    "no mode": ["--ovmf", "OVMF.fd"],
    "no firmware": ["--mode", "snp"],
    "a mode that is none": ["--mode", "snpp", "--ovmf", "OVMF.fd"],
    "an option that is none": [*SNP, "--vcpu", "4"],
    "an option without its value": [*SNP, "--append"],
    "a flag with a value": [*SNP, "--explain=yes"],
    "a file that is not there": [*SNP, "--kernel", "nowhere"],
    "a folder": [*SNP, "--kernel", "."],
    "a number that is none": ["--vcpus", "four", *SNP[:2], *SNP[4:]],
    "features that are none": [*SNP, "--guest-features", "0y1"],
    "a hypervisor that is none": [*SNP, "--vmm-type", "xen"],
    "a word too many": [*SNP, "OVMF.fd"],
}


@pytest.mark.parametrize("arguments", WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_is_exit_code_2(arguments: list[str], run: Run) -> None:
    ended = run("measure", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Error: " in ended.err


REFUSED = {
    "no vCPUs": (["--mode", "snp", "--ovmf", "OVMF.fd", *TYPE], "vcpus: is measured in the mode snp"),
    "no type": (SNP[:-2], "vcpu-type: is measured, and missing"),
    "a type that is none": ([*SNP[:-1], "EPYC-v44"], "vcpu-type: 'EPYC-v44' is not known"),
    "a family alone": ([*SNP, "--vcpu-family", "25"], "vcpu-family: belongs to a model and a stepping"),
    "a model alone": ([*SNP, "--vcpu-model", "1"], "vcpu-family: belongs to a model and a stepping"),
    "an initrd alone": ([*SNP, "--initrd", "initrd"], "initrd: belongs to a kernel"),
    "a command line alone": ([*SNP, "--append", "quiet"], "append: belongs to a kernel"),
    "a hash that is none": ([*SNP, "--snp-ovmf-hash", "no"], "snp-ovmf-hash: is not hexadecimal"),
    "a hash for sev": (
        ["--mode", "sev", "--ovmf", "OVMF.fd", "--snp-ovmf-hash", OVMF_HASH],
        "snp-ovmf-hash: is not measured in the mode sev",
    ),
    "a kernel for tdx": (
        ["--mode", "tdx", "--ovmf", "OVMF.fd", "--kernel", "kernel"],
        "kernel: is not measured in the mode tdx",
    ),
    "a hypervisor for tdx": (
        ["--mode", "tdx", "--ovmf", "OVMF.fd", "--vmm-type", "gce"],
        "vmm-type: is not measured in the mode tdx",
    ),
    "an svsm for snp": ([*SNP, "--svsm", "svsm"], "svsm: is not measured in the mode snp"),
    "no svsm": (["--mode", "snp:svsm", *SNP[2:], "--vars-size", "0"], "svsm: is what this mode starts"),
    "an svsm without a type": (
        ["--mode", "snp:svsm", *SNP[2:-2], "--svsm", "svsm", "--vars-size", "0"],
        "vcpu-type: is measured in this mode",
    ),
    "an svsm nowhere": (
        ["--mode", "snp:svsm", *SNP[2:], "--svsm", "svsm"],
        "vars-size: decides where the SVSM lies",
    ),
    "an svsm in two places": (
        ["--mode", "snp:svsm", *SNP[2:], "--svsm", "svsm", "--vars-size", "0", "--vars-file", "VARS.fd"],
        "vars-size: decides where the SVSM lies",
    ),
    "firmware that is none": (
        ["--mode", "snp", *SNP[2:4], "--ovmf", "kernel", *TYPE],
        "ovmf: its 7 bytes are no whole pages",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_measured_is_exit_code_1(arguments: list[str], message: str, run: Run) -> None:
    for more in ((), (NOT_PLAIN,)):
        ended = run("measure", *arguments, *more)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith(message)
        assert "Traceback" not in ended.err


def test_the_hypervisors_to_choose_from_are_all_that_there_are() -> None:
    assert tuple(VMMS) == VMM_TYPES


SLOW_TO_LOAD = ("typer", "typing", "enum", "dataclasses", "inspect", "pathlib", "re", "prism_iac.errors")

PLAINLY = f"""
import sys
sys.argv = ["prism-iac", "measure", *{[*SNP, *KERNEL]}]
from prism_iac.cli import main
try:
    main()
except SystemExit:
    pass
print(sorted(name for name in {SLOW_TO_LOAD} if name in sys.modules), file=sys.stderr)
"""


def test_a_script_does_not_wait_for_what_measuring_does_not_need(here: Path) -> None:
    # Without `site`, which loads what the environment wants; the package is found by its path.
    path = repr([entry for entry in sys.path if entry])
    program = f"import sys; sys.path[:] = {path}\n{PLAINLY}"
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=here, capture_output=True, text=True, check=True
    )
    assert (ended.stdout, ended.stderr) == (f"{V4}\n", "[]\n")
