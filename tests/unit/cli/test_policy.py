from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from prism_iac.attestation import PolicyDocument, policy_from_evidence
from prism_iac.attestation.policy import PolicyFile, PolicyForm, policy_from_quote
from prism_iac.testing import EvidenceLab
from tests.unit.attestation.conftest import NOW
from tests.unit.attestation.policy.keys import KEYS, SAMPLES
from tests.unit.cli.conftest import Run

MEASUREMENT = bytes(range(48))
B64 = base64.b64encode(MEASUREMENT).decode()


@pytest.fixture(scope="module")
def lab() -> EvidenceLab:
    return EvidenceLab.create(now=NOW)


@pytest.fixture
def policy(here: Path) -> Path:
    file = here / "attestation_policy.json"
    file.write_bytes((SAMPLES / "host-tool.json").read_bytes())
    return file


def read(file: Path) -> PolicyFile:
    return PolicyFile.parse(file.read_bytes())


def write_key(here: Path, name: str) -> tuple[str, str]:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = KEYS[name]
    private, public = here / f"{name}.pem", here / f"{name}.pub.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private.name, public.name


@pytest.mark.parametrize("command", ["policy", "backend"])
@pytest.mark.parametrize("value", [B64, MEASUREMENT.hex()])
def test_a_measurement_is_set_and_all_else_stays(command: str, value: str, policy: Path, run: Run) -> None:
    policy.chmod(0o640)
    before = json.loads(policy.read_bytes())
    ended = run(command, "measurement", value, policy.name)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    after = json.loads(policy.read_bytes())
    assert after["policy"].pop("measurement") == B64
    before["policy"].pop("measurement")
    assert after == before
    assert stat.S_IMODE(policy.stat().st_mode) == 0o640


def test_host_data_is_set_in_a_corim_too(here: Path, run: Run) -> None:
    (here / "p.corim").write_bytes((SAMPLES / "example.corim").read_bytes())
    assert run("policy", "hostdata", "ab" * 32, "p.corim").code == 0
    edited = read(here / "p.corim")
    assert edited.document.snp_policy().policy.host_data == b"\xab" * 32
    assert edited.names == PolicyFile.parse((SAMPLES / "example.corim").read_bytes()).names


@pytest.mark.parametrize("value", ["AAAA", "zz", B64[:-4], ""])
def test_a_value_of_another_length_is_refused_and_the_file_stays(value: str, policy: Path, run: Run) -> None:
    before = policy.read_bytes()
    ended = run("policy", "measurement", value, policy.name)
    assert ended.code == 1
    assert "48 bytes" in ended.err
    assert policy.read_bytes() == before


def test_a_signed_policy_is_not_edited(here: Path, run: Run) -> None:
    (here / "p.cose").write_bytes((SAMPLES / "host-tool.es256").read_bytes())
    ended = run("policy", "measurement", B64, "p.cose")
    assert ended.code == 1
    assert "break the signature" in ended.err


def test_a_policy_is_made_from_options(here: Path, run: Run) -> None:
    options = ("--measurement", MEASUREMENT.hex(), "--product", "Milan", "--policy", "196608", "--svn", "3")
    more = ("--set", "policy.vmpl=2", "--set", "policy.minimumVersion=1.55", "--host-data", "00" * 32)
    printed = run("policy", "create", *options, *more)
    assert printed.code == 0
    expected = PolicyDocument.parse(printed.out.encode()).snp_policy()
    values = expected.policy
    assert (values.measurement, values.policy, values.minimum_guest_svn) == (MEASUREMENT, 196608, 3)
    assert (values.vmpl, values.minimum_version, values.host_data) == (2, (1, 55), bytes(32))
    assert expected.product == "Milan"
    assert (
        run("policy", "create", *options, *more, "--form", "corim", "--output", "p.corim").out == "p.corim\n"
    )
    assert read(here / "p.corim").document.to_bytes().decode() == printed.out


def test_a_policy_for_tdx_is_made_from_options(run: Run) -> None:
    registers = ",".join(f"{number:02x}" * 48 for number in range(4))
    options = ("--measurement", B64, "--mr-seam", "05" * 48, "--rtmrs", registers)
    printed = run("policy", "create", "--platform", "tdx", *options)
    body = PolicyDocument.parse(printed.out.encode()).tdx_policy().body
    assert (body.mr_td, body.mr_seam) == (MEASUREMENT, b"\x05" * 48)
    assert body.rtmrs == tuple(bytes([number]) * 48 for number in range(4))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--mr-seam", "05" * 48), 2, "SEV-SNP have none"),
        (("--platform", "tdx", "--svn", "1"), 2, "TDX have none"),
        (("--set", "policy"), 2, "FIELD=VALUE"),
        (("--set", "policy.vmpl=9"), 1, "policy.vmpl"),
        (("--set", "policy.vmpl.x=9", "--set", "policy.vmpl.x.y=9"), 1, "not an object"),
        (("--form", "corim"), 2, "name a file"),
        (("--signing-key", "attestation_policy.json"), 2, "JSON cannot be signed"),
        (("--base", "attestation_policy.json", "--vm", "x"), 2, "one of"),
        (("--product", "Mars"), 1, "policy.product.name"),
    ],
)
def test_wrong_options_of_create_are_told(
    arguments: tuple[str, ...], code: int, said: str, policy: Path, run: Run
) -> None:
    ended = run("policy", "create", *arguments)
    assert policy.exists()
    assert ended.code == code
    assert said in ended.err


def test_a_policy_is_made_from_evidence(lab: EvidenceLab, here: Path, run: Run) -> None:
    report = lab.snp.attest()
    quote = lab.tdx.attest(report_data=bytes(64))
    (here / "snp.bin").write_bytes(report.to_bytes())
    (here / "tdx.bin").write_bytes(quote.to_bytes())
    of_snp = PolicyDocument.parse(run("policy", "create", "--evidence", "snp.bin").out.encode())
    of_tdx = PolicyDocument.parse(run("policy", "create", "--evidence", "tdx.bin").out.encode())
    assert of_snp.snp_policy() == policy_from_evidence(report.report).snp_policy()
    assert of_tdx == policy_from_quote(quote)
    lab.verify(quote.to_bytes(), of_tdx, nonce=_no_nonce())


def _no_nonce() -> Any:
    from prism_iac.attestation import Nonce

    return Nonce.of(bytes(64))


@pytest.mark.parametrize("name", KEYS)
def test_a_policy_is_signed_and_its_signature_verified(name: str, policy: Path, here: Path, run: Run) -> None:
    private, public = write_key(here, name)
    assert (
        run("policy", "sign", policy.name, "--key", private, "--output", "p.cose", "--signer", "Ada").code
        == 0
    )
    assert (here / "p.cose").read_bytes() == (SAMPLES / f"host-tool.{name}").read_bytes()
    shown = json.loads(run("policy", "show", "p.cose", "--key", public, "--json").out)
    assert shown["signature"]["holds"] is True
    assert shown["signature"]["signer"] == "Ada"
    assert json.loads(run("policy", "show", "p.cose", "--json").out)["signature"]["holds"] is None


def test_a_signature_that_does_not_hold_or_is_missing_has_an_exit_code_of_its_own(
    policy: Path, here: Path, run: Run
) -> None:
    private, public = write_key(here, "es256")
    assert run("policy", "show", policy.name, "--key", public).code == 4
    run("policy", "sign", policy.name, "--key", private, "--output", "p.cose")
    other = write_key(here, "es384")[1]
    ended = run("policy", "show", "p.cose", "--key", other)
    assert (ended.code, ended.out) == (4, "")


def test_nothing_is_overwritten_unasked(policy: Path, here: Path, run: Run) -> None:
    before = policy.read_bytes()
    assert run("policy", "convert", policy.name, "--output", policy.name).code == 1
    private, _ = write_key(here, "es256")
    assert run("policy", "sign", policy.name, "--key", private, "--output", policy.name).code == 1
    assert policy.read_bytes() == before
    assert run("policy", "convert", policy.name, "--output", policy.name, "--force").code == 0
    assert b"rootOfTrust" in policy.read_bytes()


@pytest.mark.parametrize("form", ["corim", "corim-amd"])
def test_a_policy_goes_through_another_form_and_back(form: str, policy: Path, here: Path, run: Run) -> None:
    canonical = run("policy", "convert", policy.name).out
    assert run("policy", "convert", policy.name, "--form", form, "--output", "p").code == 0
    assert read(here / "p").form == form
    assert run("policy", "convert", "p").out == canonical


def test_a_policy_is_shown_with_what_means_nothing(here: Path, run: Run) -> None:
    (here / "p.json").write_text('{"policy": {"vmpl": 2, "measurment": "x"}}')
    ended = run("policy", "show", "p.json")
    assert ended.code == 0
    assert ["policy.vmpl", "2"] in [line.split() for line in ended.out.splitlines()]
    assert "policy.measurment: means nothing here" in ended.err
    document = json.loads(run("policy", "show", "p.json", "--json").out)
    assert (document["form"], document["platform"], document["unknown"]) == (
        "json",
        "SEV-SNP",
        ["policy.measurment"],
    )


def test_the_weaknesses_of_a_policy_are_told_and_have_an_exit_code(
    lab: EvidenceLab, here: Path, run: Run
) -> None:
    evidence = lab.snp.attest(report_data=b"n" * 64)
    (here / "e.bin").write_bytes(evidence.to_bytes())
    (here / "p.json").write_bytes(policy_from_evidence(evidence.report).to_bytes())
    command = ("policy", "strength", "--policy", "p.json", "--evidence", "e.bin")
    ended = run(*command)
    assert ended.code == 1
    assert "policy.reportId" in ended.out
    assert "launch measurement" not in ended.out
    trials = json.loads(run(*command, "--json").out)
    weak = sorted({trial["field"] for trial in trials if not trial["accepted"]})
    assert "policy.reportId" in weak
    accepting = [word for field in weak for word in ("--accept", field)]
    assert run(*command, *accepting).code == 0
    unknown = run(*command, "--accept", "policy.reportID")
    assert unknown.code == 1
    assert "no change is about" in unknown.err


def test_evidence_that_the_policy_refuses_is_no_measure_of_its_strength(
    lab: EvidenceLab, here: Path, run: Run
) -> None:
    evidence = lab.snp.attest()
    (here / "e.bin").write_bytes(evidence.to_bytes())
    policy = policy_from_evidence(evidence.report).with_measurement(MEASUREMENT)
    (here / "p.json").write_bytes(policy.to_bytes())
    ended = run("policy", "strength", "--policy", "p.json", "--evidence", "e.bin")
    assert ended.code == 4
    assert "launch measurement" in ended.err


def test_the_forms_on_the_command_line_are_those_of_the_room() -> None:
    from typing import get_args

    from prism_iac.cli.policy import Form

    assert set(get_args(Form)) == set(PolicyForm)


@pytest.fixture
def changed(policy: Path) -> Path:
    """The policy with a lower least TCB, another measurement, and a field of its own."""
    values = json.loads(policy.read_bytes())
    values["policy"] |= {"minimum_tcb": 1, "measurement": B64, "minimum_guest_svn": 3}
    file = policy.with_name("new.json")
    file.write_text(json.dumps(values))
    return file


def test_a_diff_tells_what_each_field_does_to_trust(policy: Path, changed: Path, run: Run) -> None:
    ended = run("policy", "diff", policy.name, changed.name, "--json")
    assert ended.code == 0
    assert [(item["field"], item["trust"]) for item in json.loads(ended.out)] == [
        ("measurement", "incomparable"),
        ("minimum_guest_svn", "tighter"),
        ("minimum_tcb", "looser"),
    ]
    lines = run("policy", "diff", policy.name, changed.name).out.splitlines()
    assert lines[-1].split() == ["looser", "minimum_tcb", "3.0.0.0.0.0.14.213", "1.0.0.0.0.0.0.0"]


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [("looser", 1), ("tighter", 1), ("incomparable", 0)],
)
def test_a_diff_fails_on_what_it_is_told(
    policy: Path, changed: Path, fail_on: str, code: int, run: Run
) -> None:
    assert run("policy", "measurement", MEASUREMENT.hex(), policy.name).code == 0
    assert run("policy", "diff", policy.name, changed.name, "--fail-on", fail_on).code == code
    assert run("policy", "diff", policy.name, policy.name, "--fail-on", fail_on).code == 0
