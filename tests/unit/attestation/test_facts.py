from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from prism_iac.attestation import Collateral, Endorser, Evidence, Platform, Token, VmEvidence, facts_of
from prism_iac.attestation._token import is_token
from prism_iac.testing import EvidenceLab
from tests.unit.attestation.lab import NONCE, in_token, snp, snp_vtpm, tdx, vtpm

HERE = Path(__file__).parent


def _facts(data: bytes) -> dict[str, dict[str, str]]:
    return {section: dict(values) for section, values in facts_of(VmEvidence.parse(data)).items()}


def test_the_certificate_of_a_real_chip_is_shown() -> None:
    report = (HERE / "snp" / "samples" / "milan-2022.bin").read_bytes()
    leaf = (HERE / "snp" / "samples" / "milan-2022.vcek.der").read_bytes()
    facts = _facts(Evidence(Evidence.parse(report).report, {Endorser.VCEK: leaf}).to_bytes())
    assert facts["report"]["product"] == "not told"
    assert facts["report"]["policy"] == "0xb0000"
    certificate = facts["VCEK certificate"]
    assert certificate["product"] == "Milan-B0"
    assert certificate["tcb"] == "boot loader 2, TEE 0, SNP 5, microcode 68"
    assert certificate["valid"] == "2022-09-24 to 2029-09-24"
    assert certificate["hwid"].startswith("3ac3fe21e13fb0990eb28a802e3fb6a2")


def test_the_certificate_of_a_real_platform_is_shown() -> None:
    facts = _facts((HERE / "tdx" / "samples" / "quote-v4.bin").read_bytes())
    assert facts["quote"]["debuggable"] == "no"
    assert facts["quote"]["qe_isv_svn"] == "4"
    assert "tee_tcb_svn_2" not in facts["quote"]
    assert facts["platform certificate"]["fmspc"] == "50806f000000"
    assert facts["platform certificate"]["subject"] == '"Intel SGX PCK Certificate"'


def test_the_key_of_a_real_tpm_and_its_registers_are_shown() -> None:
    facts = _facts((HERE / "tpm" / "samples" / "gce-vtpm.pb").read_bytes())
    assert facts["TPM quote of sha256"]["nonce"] == "9009"
    assert len(facts["TPM quote of sha384"]["pcr23"]) == 96
    assert "valid" in facts["attestation key's certificate"]


def test_a_token_is_shown_with_what_is_inside(lab: EvidenceLab) -> None:
    facts = _facts(in_token(snp_vtpm(lab)).data)
    assert facts["token"]["platform"] == "SNP-vTPM"
    assert facts["token"]["issued"] == "2026-03-01T12:00:00Z"
    assert facts["token"]["expires"] == "2026-03-01T12:05:00Z"
    assert {"report", "TPM quote of sha256"} <= facts.keys()
    timeless = Token(Platform.SNP, snp(lab).data, issued=1 << 62)
    assert is_token(timeless.to_bytes())
    assert _facts(timeless.to_bytes())["token"]["issued"] == str(1 << 62)
    assert "expires" not in _facts(timeless.to_bytes())["token"]


def test_a_vlek_is_shown_with_its_provider(lab: EvidenceLab) -> None:
    facts = _facts(snp(lab, signer_info=1 << 2).data)
    assert facts["report"]["signing_key"] == "VLEK"
    assert facts["VLEK certificate"]["csp_id"] == "SIMULATED provider"


def test_what_cannot_be_read_is_shown_as_such(lab: EvidenceLab) -> None:
    evidence = Evidence.parse(snp(lab).data)
    garbled = {**evidence.certificates, Endorser.VCEK: b"garbage", Endorser.CRL: b"garbage"}
    facts = _facts(replace(evidence, certificates=garbled).to_bytes())
    assert facts["VCEK certificate"] == {"certificate": "cannot be read"}
    assert "CRL certificate" not in facts
    quote = VmEvidence.parse(tdx(lab).data).tdx
    assert quote is not None
    assert _facts(replace(quote, pck_chain=b"").to_bytes())["platform certificate"] == {
        "certificate": "cannot be read"
    }
    tpm = VmEvidence.parse(vtpm(lab).data).tpm
    assert tpm is not None
    broken = replace(tpm, quotes=(replace(tpm.quotes[0], attested=b"x"),))
    assert _facts(broken.to_bytes())["TPM quote of sha256"]["quote"] == "cannot be read"


def test_folders_inside_a_folder_of_collateral_are_passed_over(tmp_path: Path, lab: EvidenceLab) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "vcek").write_bytes(Evidence.parse(snp(lab).data).certificates[Endorser.VCEK])
    assert len(Collateral.load(tmp_path).certificates) == 1


def test_the_nonce_of_a_token_is_shown(lab: EvidenceLab) -> None:
    assert _facts(in_token(snp(lab)).data)["token"]["nonce"] == NONCE.tpm.hex()
