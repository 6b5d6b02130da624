from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.attestation import Endorser, Evidence, PolicyDocument
from prism_iac.testing import EvidenceLab
from tests.unit.attestation.lab import NONCE, REGISTERS, Subject, b64, snp, snp_vtpm, tdx, vtpm
from tests.unit.cli.conftest import Ended, Run

SNP_SAMPLES = Path(__file__).parents[1] / "attestation" / "snp" / "samples"


@dataclass(frozen=True)
class Files:
    """Evidence, a policy that it meets, and roots, as files in the current folder."""

    run: Run
    folder: Path
    subject: Subject

    def __post_init__(self) -> None:
        (self.folder / "evidence.bin").write_bytes(self.subject.data)
        (self.folder / "policy.json").write_bytes(self.subject.policy.to_bytes())
        (self.folder / "roots.pem").write_bytes(self.subject.lab.roots)
        (self.folder / "collateral").mkdir(exist_ok=True)

    def verify(self, *arguments: str, roots: str | None = "roots.pem") -> Ended:
        trust = () if roots is None else ("--roots", roots)
        return self.run(
            *("attestation", "verify", "--evidence", "evidence.bin", "--policy", "policy.json"),
            *trust,
            *arguments,
        )


@pytest.fixture(scope="module")
def lab() -> EvidenceLab:
    return EvidenceLab.create(now=datetime.now(UTC))


@pytest.fixture
def files(run: Run, here: Path) -> Callable[[Subject], Files]:
    return lambda subject: Files(run, here, subject)


Make = Callable[[Subject], Files]
SENT = ("--nonce", NONCE.tee.hex())


def test_every_check_is_listed_with_its_outcome(files: Make, lab: EvidenceLab) -> None:
    ended = files(snp(lab)).verify(*SENT)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert any(line.startswith("pass") and "report signature" in line for line in lines)
    assert any(line.startswith("pass") and "launch measurement" in line for line in lines)
    assert any(line.startswith("not asked") and "guest SVN" in line for line in lines)
    assert not any(line.startswith("fail") for line in lines)
    assert "SIMULATED" in ended.err


def test_a_failed_check_ends_with_its_exit_code_and_every_failed_claim(files: Make, lab: EvidenceLab) -> None:
    subject = snp(lab).expecting("policy", vmpl=1, minimumBuild=9)
    ended = files(subject).verify(*SENT)
    assert ended.code == 4
    failed = [line for line in ended.out.splitlines() if line.startswith("fail")]
    assert len(failed) == 2
    assert "VMPL is 2, the policy wants 1" in ended.err
    assert "firmware build is 1, the policy wants at least 9" in ended.err


@pytest.mark.parametrize("accepted", [True, False])
def test_a_program_reads_the_checks_either_way(files: Make, lab: EvidenceLab, accepted: bool) -> None:  # noqa: FBT001  # a parameter of the test
    subject = snp(lab) if accepted else snp(lab).expecting("policy", vmpl=1)
    ended = files(subject).verify(*SENT, "--json")
    document = json.loads(ended.out)
    assert (ended.code, document["accepted"]) == ((0, True) if accepted else (4, False))
    assert (document["platform"], document["simulated"]) == ("SNP", True if accepted else None)
    failed = [check for check in document["checks"] if check["outcome"] == "fail"]
    assert failed == (
        [] if accepted else [{"claim": "VMPL", "outcome": "fail", "expected": "1", "found": "2"}]
    )


def test_simulated_evidence_needs_roots_that_somebody_names(files: Make, lab: EvidenceLab) -> None:
    ended = files(snp(lab)).verify(*SENT, roots=None)
    assert ended.code == 4
    assert "certificate chain is no such chain" in ended.err


def test_another_nonce_is_refused_and_none_is_an_error(files: Make, lab: EvidenceLab) -> None:
    scene = files(snp(lab))
    replayed = scene.verify("--nonce", "00")
    assert replayed.code == 4
    assert "report data is" in replayed.err
    missing = scene.verify()
    assert (missing.code, missing.out) == (1, "")
    assert "Give the nonce that the evidence must answer." in missing.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--nonce", "xyz"), "--nonce: is not hexadecimal"),
        (("--nonce", ""), "has 1 to 64 bytes"),
        (("--nonce", "00" * 65), "has 1 to 64 bytes"),
        (("--vtpm-nonce", "00"), "--vtpm-nonce: needs --nonce beside it"),
        (("--nonce", "00", "--vtpm-nonce", "zz"), "--vtpm-nonce: is not hexadecimal"),
    ],
)
def test_a_nonce_of_another_form_is_told(
    files: Make, lab: EvidenceLab, arguments: tuple[str, ...], message: str
) -> None:
    ended = files(snp(lab)).verify(*arguments)
    assert (ended.code, ended.out) == (1, "")
    assert message in ended.err


def test_collateral_is_taken_from_a_folder_whatever_its_files_are_called(
    files: Make, lab: EvidenceLab
) -> None:
    scene = files(tdx(lab))
    for number, document in enumerate(_collateral_files(lab)):
        (scene.folder / "collateral" / f"file-{number}").write_bytes(document)
    assert scene.verify(*SENT, "--collateral", "collateral").code == 0
    without = scene.verify(*SENT)
    assert without.code == 4
    assert "TCB info is none at hand" in without.err


def _collateral_files(lab: EvidenceLab) -> list[bytes]:
    given = lab.tdx.collateral()
    documents: list[tuple[str, Any]] = [
        ("tcbInfo", given.tcb_infos[0]),
        ("enclaveIdentity", given.qe_identities[0]),
    ]
    return [
        *(item.public_bytes(Encoding.PEM) for item in given.certificates),
        *(item.public_bytes(Encoding.DER) for item in given.crls),
        *(
            f'{{"{name}":{item.raw.decode()},"signature":"{item.signature.hex()}"}}'.encode()
            for name, item in documents
        ),
    ]


def test_a_file_that_is_no_collateral_is_named(files: Make, lab: EvidenceLab) -> None:
    scene = files(snp(lab))
    (scene.folder / "collateral" / "notes.txt").write_text("hello")
    ended = scene.verify(*SENT, "--collateral", "collateral")
    assert ended.code == 1
    assert "collateral/notes.txt: this is neither" in ended.err


def test_a_tpm_may_have_been_sent_another_nonce(files: Make, lab: EvidenceLab) -> None:
    ended = files(vtpm(lab)).verify("--nonce", "00", "--vtpm-nonce", NONCE.tpm.hex())
    assert ended.code == 0


def test_evidence_that_is_none_is_told_with_its_file(run: Run, here: Path) -> None:
    (here / "evidence.bin").write_bytes(b"hello")
    ended = run("attestation", "show", "evidence.bin")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("evidence.bin: evidence: this is no evidence")


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (snp, ("SNP", "report", "measurement", "6d" * 48)),
        (tdx, ("TDX", "quote", "mr_td", "6d" * 48)),
        (snp_vtpm, ("SNP-vTPM", "TPM quote of sha256", "pcr7", REGISTERS["sha256"]["7"])),
        (vtpm, ("vTPM", "TPM quote of sha256", "nonce", "6e" * 32)),
    ],
)
def test_evidence_of_every_kind_is_shown(
    files: Make, lab: EvidenceLab, make: Callable[[EvidenceLab], Subject], shown: tuple[str, str, str, str]
) -> None:
    platform, section, name, value = shown
    subject = make(lab)
    scene = files(subject)
    document = json.loads(scene.run("attestation", "show", "evidence.bin", "--json").out)
    assert document["platform"] == platform
    assert document["claims"][section][name] == value
    for_people = scene.run("attestation", "show", "evidence.bin")
    assert value in for_people.out
    assert "Nothing of this is verified" in for_people.err


def test_the_layout_of_a_tcb_is_shown_by_the_names_of_its_parts(files: Make, lab: EvidenceLab) -> None:
    scene = files(snp(lab))
    document = json.loads(scene.run("attestation", "show", "evidence.bin", "--json").out)
    assert document["claims"]["report"]["reported_tcb"] == "boot loader 1, TEE 1, SNP 1, microcode 1"


def test_a_sample_of_real_hardware_is_verified_with_its_certificate_at_hand(run: Run, here: Path) -> None:
    report = Evidence.parse((SNP_SAMPLES / "milan-2023.bin").read_bytes()).report
    values = {
        "policy": {
            "policy": str(report.policy),
            "vmpl": report.vmpl,
            "measurement": b64(report.measurement),
            "hostData": b64(report.host_data),
            "reportData": b64(report.report_data),
            "minimumTcb": str(report.reported_tcb.to_int()),
            "product": {"name": "SEV_PRODUCT_MILAN"},
        }
    }
    (here / "policy.json").write_bytes(PolicyDocument.from_values(values).to_bytes())
    (here / "collateral").mkdir()
    (here / "collateral" / "vcek").write_bytes((SNP_SAMPLES / "milan-2023.vcek.der").read_bytes())
    evidence = str(SNP_SAMPLES / "milan-2023.bin")
    ended = run(
        *("attestation", "verify", "--evidence", evidence, "--policy", "policy.json"),
        *("--collateral", "collateral", "--json"),
    )
    assert not ended.err, ended.err
    document = json.loads(ended.out)
    failed = [check["claim"] for check in document["checks"] if check["outcome"] == "fail"]
    # The chip's certificate ends in 2030; all else holds for ever.
    assert [claim for claim in failed if not claim.startswith("date for the certificate")] == []
    assert any(check["claim"] == "certificate chain" for check in document["checks"])


def test_evidence_without_certificates_is_told_what_it_lacks(files: Make, lab: EvidenceLab) -> None:
    scene = files(snp(lab))
    evidence = Evidence.parse(scene.subject.data)
    (scene.folder / "evidence.bin").write_bytes(evidence.report.to_bytes())
    ended = scene.verify(*SENT)
    assert ended.code == 4
    assert "VCEK certificate is none that can be read" in ended.err
    for kind in (Endorser.VCEK, Endorser.ASK):
        (scene.folder / "collateral" / kind.name).write_bytes(evidence.certificates[kind])
    assert scene.verify(*SENT, "--collateral", "collateral").code == 0


@pytest.mark.parametrize("form", ["corim", "corim-amd"])
def test_the_policy_may_be_a_corim(form: str, files: Make, lab: EvidenceLab) -> None:
    given = files(snp(lab))
    given.run("policy", "convert", "policy.json", "--form", form, "--output", "policy.corim")
    assert given.verify("--policy", "policy.corim", *SENT).code == 0
    given.run("policy", "measurement", b64(b"x" * 48), "policy.corim")
    refused = given.verify("--policy", "policy.corim", *SENT)
    assert (refused.code, "launch measurement is" in refused.err) == (4, True)


def test_a_policy_that_must_be_signed_counts_with_its_signature_alone(
    files: Make, lab: EvidenceLab, here: Path
) -> None:
    given = files(snp(lab))
    given.run("keys", "--type", "ecdsa", "--output", "ada")
    given.run("keys", "--type", "ecdsa", "--output", "eve")
    given.run("policy", "sign", "policy.json", "--key", "ada.pem", "--output", "policy.cose")
    signed = ("--policy", "policy.cose", *SENT)
    assert (here / "policy.cose").exists()
    assert given.verify(*signed).code == 0
    assert given.verify(*signed, "--policy-key", "ada.pub.pem").code == 0
    other = given.verify(*signed, "--policy-key", "eve.pub.pem")
    assert (other.code, other.out, "signature" in other.err) == (4, "", True)
    assert given.verify(*SENT, "--policy-key", "ada.pub.pem").code == 4
