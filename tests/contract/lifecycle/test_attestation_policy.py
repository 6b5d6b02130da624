"""A policy that is measured, taken from reference values, relaxed for a while, and kept from getting looser."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prism_iac.attestation import PolicyDocument
from prism_iac.attestation.policy import PolicyFile, PolicyForm
from prism_iac.attestation.tpm import predict_manifest_register
from prism_iac.errors import InvalidInput
from prism_iac.lifecycle import HANDLERS, Live, check, diff
from prism_iac.model import UNKNOWN, Manifest, ManifestAlgorithm
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair, load_private_key
from tests.contract.lifecycle.stage import Stage
from tests.unit.attestation.measurement.firmware import firmware

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
# attestation.md section 6.3, N = 0x10000.
MEASURED_WITH_KERNEL = (
    "adec08f581ae78f0a5a1fd14be15aaeea5b71948fae2cf0301bb878bf7a8ca066d3ad36d480f1ad68c7f68165496723b"
)
MEASURED_ON_EC2 = (
    "5b8c1855d1b3ac746874cfeef776f19b8014e008ea9e896064712289892a3e7afd4c87f2a31f8fbd661d07bb8de9220b"
)
OLD, OTHER = "0a" * 48, "0b" * 48

EXPECTATIONS: dict[str, Any] = {
    "policy": {"hostData": base64.b64encode(bytes(32)).decode(), "policy": "196608", "vmpl": 2.0},
    "rootOfTrust": {"productLine": "Milan"},
}


@pytest.fixture
def launch(tmp_path: Path) -> dict[str, Any]:
    """What the documented measurement is of."""
    (tmp_path / "OVMF.fd").write_bytes(firmware(0x10000))
    (tmp_path / "vmlinuz").write_text("kernel\n")
    (tmp_path / "initrd").write_text("initrd\n")
    return {
        "firmware": "OVMF.fd",
        "kernel": "vmlinuz",
        "initrd": "initrd",
        "cmdline": "console=ttyS0 loglevel=7",
        "vcpus": 1.0,
        "vcpu_type": "EPYC-v4",
    }


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.clock = NOW
    return stage


def checked(stage: Stage, **properties: Any) -> dict[str, Any]:
    return stage.check("AttestationPolicy", "p", **{"path": "p.json", **properties})


def declared(stage: Stage, **properties: Any) -> dict[str, Any]:
    return checked(stage, **{"expectations": EXPECTATIONS, **properties})


def written(policy: Live[Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(policy.state.path).read_text())
    return document


@pytest.mark.parametrize(
    ("expectations", "message"),
    [
        (
            {"rootOfTrust": {"productLine": "Milano"}},
            r"expectations\.rootOfTrust\.productLine: must be one of",
        ),
        ({"policy": {"mesurement": "AA=="}}, r"expectations\.policy\.mesurement: .* not known here"),
        (
            {"policy": {"headerPolicy": {"minimumQeSvn": -1}}},
            r"expectations\.policy\.headerPolicy\.minimumQeSvn",
        ),
    ],
)
def test_what_no_evidence_can_be_held_against_is_told_before_it_is_written(
    stage: Stage, expectations: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        checked(stage, expectations=expectations)


class TestMeasured:
    def test_the_measurement_is_known_before_anything_is_made(
        self, stage: Stage, launch: dict[str, Any]
    ) -> None:
        assert declared(stage, launch=launch)["measurement"] == MEASURED_WITH_KERNEL
        on_ec2 = {**launch, "vmm_type": "ec2", "vcpu_type": None}
        assert declared(stage, launch=on_ec2)["measurement"] == MEASURED_ON_EC2

    @pytest.mark.parametrize("name", ["firmware", "kernel", "initrd"])
    def test_a_changed_file_changes_the_measurement_and_its_own_hash(
        self, stage: Stage, launch: dict[str, Any], name: str
    ) -> None:
        before = declared(stage, launch=launch)
        file = Path(launch[name])
        file.write_bytes(b"\x01" + file.read_bytes()[1:])
        after = declared(stage, launch=launch)
        assert before["measurement"] != after["measurement"]
        digests = [item["launch_digests"] for item in (before, after)]
        assert [key for key in digests[0] if digests[0][key] != digests[1][key]] == [name]
        found = diff(HANDLERS["AttestationPolicy"], before, after, stage.context("p", before["identity"]))
        assert set(found.changed) == {"measurement", "launch_digests"}

    def test_another_command_line_is_told_by_its_hash(self, stage: Stage, launch: dict[str, Any]) -> None:
        before = declared(stage, launch=launch)["launch_digests"]
        after = declared(stage, launch={**launch, "cmdline": "console=ttyS0"})["launch_digests"]
        assert [key for key in before if before[key] != after[key]] == ["cmdline"]

    def test_the_file_expects_what_was_measured(self, stage: Stage, launch: dict[str, Any]) -> None:
        policy = stage.create(
            "AttestationPolicy", "p", path="p.json", expectations=EXPECTATIONS, launch=launch
        )
        document = PolicyDocument.parse(Path("p.json").read_bytes())
        assert document.snp_policy().policy.measurement == bytes.fromhex(MEASURED_WITH_KERNEL)
        assert policy.state.measurement == MEASURED_WITH_KERNEL
        assert stage.drift(policy) == {}

    def test_what_is_given_is_held_against_what_is_measured(
        self, stage: Stage, launch: dict[str, Any]
    ) -> None:
        declared(stage, launch=launch, measurement=MEASURED_WITH_KERNEL.upper())
        with pytest.raises(InvalidInput, match=f"the launch measures {MEASURED_WITH_KERNEL}"):
            declared(stage, launch=launch, measurement=OTHER)
        with pytest.raises(InvalidInput, match=r"launch_digests\.kernel: the hash is"):
            declared(stage, launch=launch, launch_digests={"kernel": "00"})

    def test_the_domain_of_a_policy_for_tdx_is_measured(self, stage: Stage, launch: dict[str, Any]) -> None:
        tdx = {"policy": {"tdQuoteBodyPolicy": {"xfam": "5wIGAAAAAAA="}}}
        inputs = checked(stage, expectations=tdx, launch={"firmware": launch["firmware"]})
        assert inputs["measurement"].startswith("f5e9cc25dab6386d")
        with pytest.raises(InvalidInput, match=r"launch\.kernel: is not measured into MRTD"):
            checked(stage, expectations=tdx, launch=launch)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"firmware": "absent.fd"}, r'"absent.fd" cannot be read'),
            ({"vcpus": None}, r"launch\.vcpus: is measured, and missing"),
            ({"vcpu_type": "EPYC-Millan"}, r'Did you mean "EPYC-Milan"'),
            ({"vmm_type": "qemu"}, r"there is no hypervisor"),
            ({"firmware": "vmlinuz"}, "no whole pages"),
        ],
    )
    def test_a_launch_that_cannot_be_measured_is_refused(
        self, stage: Stage, launch: dict[str, Any], change: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(InvalidInput, match=message):
            declared(stage, launch={name: value for name, value in (launch | change).items() if value})

    def test_a_vm_that_is_not_known_yet_does_not_hide_the_measurement(
        self, stage: Stage, launch: dict[str, Any]
    ) -> None:
        assert checked(stage, vm=UNKNOWN, launch=launch)["measurement"] == MEASURED_WITH_KERNEL

    def test_a_measurement_is_set_in_the_policy_of_a_vm(
        self, stage: Stage, vm: Live[Any], launch: dict[str, Any]
    ) -> None:
        stage.create("AttestationPolicy", "p", path="p.json", vm=vm.id, launch=launch)
        document = PolicyDocument.parse(Path("p.json").read_bytes()).snp_policy()
        assert document.policy.measurement == bytes.fromhex(MEASURED_WITH_KERNEL)
        assert document.policy.chip_id is not None


class TestSettings:
    def test_several_measurements_and_warnings_stand_in_the_file(self, stage: Stage) -> None:
        policy = stage.create(
            "AttestationPolicy",
            "p",
            path="p.json",
            expectations=EXPECTATIONS,
            measurement=OTHER,
            accept=[OLD],
            warn={"minimum_tcb": "2026-12-31"},
            minimum_tcb={"boot_loader": 3.0, "snp": 8, "microcode": 115},
        )
        read = PolicyDocument.parse(Path("p.json").read_bytes()).snp_policy()
        assert read.acceptance.measurements == (bytes.fromhex(OLD),)
        assert [day.isoformat() for day in read.acceptance.warn_until.values()] == ["2026-12-31"]
        assert read.policy.minimum_tcb is not None
        assert read.policy.minimum_tcb.parts == bytes((3, 0, 0, 0, 0, 0, 8, 115))
        assert list(read.unknown()) == []
        assert stage.drift(policy) == {}

    def test_several_values_of_mrtd_stand_where_tools_for_tdx_look(self, stage: Stage) -> None:
        policy = stage.create(
            "AttestationPolicy",
            "p",
            path="p.json",
            expectations={"policy": {"tdQuoteBodyPolicy": {}}},
            measurement=OTHER,
            accept=[OLD],
        )
        body = PolicyDocument.from_values(written(policy)).tdx_policy().body
        assert (body.mr_td, body.any_mr_td) == (None, (bytes.fromhex(OTHER), bytes.fromhex(OLD)))

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"warn": {"product": "2027-01-01"}}, r"warn\.product: nothing of this name may only warn"),
            ({"minimum_tcb": {"fmc": 1}}, r'minimum_tcb\.fmc: Milan has no part "fmc"'),
            ({"minimum_tcb": {"snp": 256}}, r"256 is none of 0 to 255"),
        ],
    )
    def test_a_setting_that_says_nothing_is_refused(
        self, stage: Stage, settings: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(InvalidInput, match=message):
            declared(stage, measurement=OTHER, **settings)

    def test_parts_of_a_tcb_need_a_product(self, stage: Stage) -> None:
        with pytest.raises(InvalidInput, match="depends on the product"):
            checked(stage, measurement=OTHER, minimum_tcb={"snp": 8})

    def test_what_was_declared_before_is_written_to_the_byte(self, stage: Stage) -> None:
        stage.create("AttestationPolicy", "p", path="p.json", expectations=EXPECTATIONS)
        assert Path("p.json").read_bytes() == PolicyDocument.from_values(EXPECTATIONS).to_bytes()


class TestReferenceValues:
    @pytest.fixture
    def signed(self, tmp_path: Path) -> str:
        """The public key that `reference.cose` is signed by."""
        pair = generate_key_pair(KeyAlgorithm.ECDSA)
        document = PolicyDocument.from_values(EXPECTATIONS).with_measurement(bytes.fromhex(OTHER))
        corim = PolicyFile.make(document, PolicyForm.CORIM)
        file = corim.sign(load_private_key(pair.private_pem), signer="vendor")
        (tmp_path / "reference.cose").write_bytes(file.to_bytes())
        (tmp_path / "reference.corim").write_bytes(corim.to_bytes())
        return pair.public_pem.decode()

    def test_they_are_taken_over_when_the_signature_holds(self, stage: Stage, signed: str) -> None:
        policy = stage.create(
            "AttestationPolicy", "p", path="p.json", reference_values="reference.cose", signed_by=signed
        )
        read = PolicyDocument.from_values(written(policy)).snp_policy()
        assert read.policy.measurement == bytes.fromhex(OTHER)
        assert policy.state.expectations["policy"]["vmpl"] == 2
        assert stage.drift(policy) == {}

    @pytest.mark.parametrize(
        ("file", "message"),
        [("reference.corim", "the file is not signed"), ("absent", "cannot be read")],
    )
    def test_a_file_that_proves_nothing_is_refused(
        self, stage: Stage, signed: str, file: str, message: str
    ) -> None:
        with pytest.raises(InvalidInput, match=message):
            checked(stage, reference_values=file, signed_by=signed)

    @pytest.mark.usefixtures("signed")
    def test_a_signature_of_somebody_else_is_refused(self, stage: Stage) -> None:
        stranger = generate_key_pair(KeyAlgorithm.ECDSA).public_pem.decode()
        with pytest.raises(InvalidInput, match="reference_values: "):
            checked(stage, reference_values="reference.cose", signed_by=stranger)


class TestReview:
    """In production nothing gets looser unasked."""

    def change(self, stage: Stage, recorded: dict[str, Any], **desired: Any) -> dict[str, Any]:
        properties = {"path": "p.json", "expectations": EXPECTATIONS, "measurement": OTHER, **desired}
        context = stage.context("p", recorded["identity"])
        return check(HANDLERS["AttestationPolicy"], properties, context, recorded=recorded)

    @pytest.fixture
    def recorded(self, stage: Stage) -> dict[str, Any]:
        return declared(stage, measurement=OTHER, minimum_tcb={"snp": 8}, requires_approval=True)

    def approval(self, change: str, until: str = "2026-06-01") -> dict[str, Any]:
        return {"change": change, "by": "grace", "reason": "old machines", "until": until}

    def test_a_looser_field_is_refused_with_what_to_do(self, stage: Stage, recorded: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput) as refusal:
            self.change(stage, recorded, minimum_tcb={"snp": 7}, requires_approval=True)
        (finding,) = refusal.value.findings
        assert finding.path == "minimum_tcb"
        assert finding.message == "gets looser, from 0.0.0.0.0.0.8.0 to 0.0.0.0.0.0.7.0"
        assert "approvals: [{change: minimum_tcb, by: NAME" in finding.fix

    def test_every_looser_field_is_told(self, stage: Stage, recorded: dict[str, Any]) -> None:
        weaker = {**EXPECTATIONS, "policy": {**EXPECTATIONS["policy"], "policy": "720896"}}
        with pytest.raises(InvalidInput) as refusal:
            self.change(stage, recorded, expectations=weaker, accept=[OLD], requires_approval=True)
        fields = {finding.path for finding in refusal.value.findings}
        assert fields == {"measurement", "minimum_tcb", "policy"}

    def test_an_approval_lets_its_own_field_pass_until_its_day_is_over(
        self, stage: Stage, recorded: dict[str, Any]
    ) -> None:
        wanted = {"minimum_tcb": {"snp": 7}, "requires_approval": True}
        self.change(stage, recorded, **wanted, approvals=[self.approval("minimum_tcb")])
        with pytest.raises(InvalidInput, match="gets looser"):
            self.change(stage, recorded, **wanted, approvals=[self.approval("measurement")])
        with pytest.raises(InvalidInput, match="approval by grace ended on 2026-05-31"):
            self.change(stage, recorded, **wanted, approvals=[self.approval("minimum_tcb", "2026-05-31")])

    def test_tighter_and_incomparable_changes_pass(self, stage: Stage, recorded: dict[str, Any]) -> None:
        self.change(
            stage, recorded, minimum_tcb={"snp": 9, "microcode": 1}, measurement=OLD, requires_approval=True
        )

    def test_the_rule_itself_cannot_be_dropped_unasked(self, stage: Stage, recorded: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput, match="requires_approval: gets looser"):
            self.change(stage, recorded, minimum_tcb={"snp": 8})
        self.change(stage, recorded, minimum_tcb={"snp": 8}, approvals=[self.approval("requires_approval")])

    def test_a_vm_in_place_of_what_is_declared_is_looser(
        self, stage: Stage, recorded: dict[str, Any]
    ) -> None:
        wanted = {"expectations": None, "measurement": None, "vm": "v", "requires_approval": True}
        with pytest.raises(InvalidInput, match="source: gets looser, from declared to what a VM says"):
            self.change(stage, recorded, **wanted)
        self.change(stage, recorded, **wanted, approvals=[self.approval("source")])
        back = checked(stage, vm="v", requires_approval=True)
        self.change(stage, back, requires_approval=True)
        self.change(stage, back, expectations=None, measurement=None, vm="w", requires_approval=True)

    def test_elsewhere_everything_passes(self, stage: Stage) -> None:
        recorded = declared(stage, measurement=OTHER, minimum_tcb={"snp": 8})
        self.change(stage, recorded, measurement=None, vm="v", expectations=None)


def test_the_register_of_a_manifest_is_expected_besides_and_follows_the_manifest(
    stage: Stage, tmp_path: Path
) -> None:
    def manifest(name: str) -> Manifest:
        algorithm = ManifestAlgorithm(hash=bytes(32), user_key=b"k")
        return Manifest(id="1", name=name, description="d", algorithm=algorithm)

    def register() -> str:
        found = PolicyDocument.parse((tmp_path / "p.json").read_bytes()).snp_policy().pcr_values
        assert found.sha256[0] == bytes(32)
        return found.sha256[16].hex()

    expectations = {"pcr_values": {"sha256": {"0": "00" * 32}}}
    live = stage.create(
        "AttestationPolicy",
        "p",
        path="p.json",
        expectations=expectations,
        manifest=manifest("sum").canonical_bytes().decode(),
    )
    assert register() == predict_manifest_register(manifest("sum"))["sha256"].hex()
    live = stage.update(live, manifest=manifest("other").canonical_bytes().decode())
    assert register() == predict_manifest_register(manifest("other"))["sha256"].hex()
    with pytest.raises(InvalidInput, match="this is no manifest"):
        stage.update(live, manifest="{}")
