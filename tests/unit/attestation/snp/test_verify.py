from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation import (
    Endorser,
    Evidence,
    PolicyDocument,
    Product,
    SimulatedPlatform,
    SnpResult,
    Tcb,
    policy_from_evidence,
    verify_report,
)
from prism_iac.errors import InvalidInput, VerificationFailure
from tests.unit.attestation.conftest import CHIP_ID, MEASUREMENT, NOW, REPORT_DATA, REPORT_ID

Change = Callable[[dict[str, Any]], object]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class Scene:
    """Evidence, the policy that it meets, and the platform that signs it."""

    evidence: Evidence
    policy: PolicyDocument
    platform: SimulatedPlatform

    def verify(
        self, evidence: Evidence | None = None, policy: PolicyDocument | None = None, **arguments: Any
    ) -> SnpResult:
        wanted: dict[str, Any] = {"roots": self.platform.root_pem, "now": NOW, "report_data": REPORT_DATA}
        return verify_report(evidence or self.evidence, policy or self.policy, **(wanted | arguments))

    def failed(self, *case: Any, **arguments: Any) -> list[str]:
        """The claims that fail."""
        with pytest.raises(VerificationFailure) as failure:
            self.verify(*case, **arguments)
        return [claim.claim for claim in failure.value.failed]

    def policy_with(self, fields: dict[str, Any]) -> PolicyDocument:
        values = self.policy.values()
        values["policy"] |= fields
        return PolicyDocument.from_values(values)

    def signed(self, **fields: Any) -> Evidence:
        """Evidence of the platform whose report says something else."""
        report = replace(self.evidence.report, **fields)
        r, s = decode_dss_signature(self.platform.key.sign(report.signed_bytes(), ec.ECDSA(SHA384())))
        return replace(self.evidence, report=replace(report, signature_r=r, signature_s=s))

    def with_certificates(self, certificates: dict[Endorser, bytes]) -> Evidence:
        return replace(self.evidence, certificates=certificates)


@pytest.fixture(scope="session")
def scene(evidence: Evidence, policy: PolicyDocument, platform: SimulatedPlatform) -> Scene:
    return Scene(evidence, policy, platform)


def test_evidence_meets_its_own_policy(scene: Scene) -> None:
    result = scene.verify()
    assert result.report == scene.evidence.report
    assert result.product is Product.SIMULATED
    assert result.is_simulated
    assert result.root == scene.platform.ark


def test_the_report_data_may_stand_in_the_policy(scene: Scene) -> None:
    pinned = scene.policy_with({"reportData": _b64(REPORT_DATA)})
    assert scene.verify(policy=pinned, report_data=None).is_simulated


@pytest.mark.parametrize(
    ("field", "value", "claim"),
    [
        ("measurement", _b64(b"m" * 48), "launch measurement"),
        ("hostData", _b64(b"h" * 32), "host data"),
        ("familyId", _b64(b"f" * 16), "family ID"),
        ("imageId", _b64(b"i" * 16), "image ID"),
        ("reportId", _b64(b"r" * 31 + b"x"), "report ID"),
        ("reportIdMa", _b64(bytes(32)), "migration agent's report ID"),
        ("chipId", _b64(b"d" * 64), "chip ID"),
        ("reportData", _b64(b"n" * 64), "report data"),
        ("vmpl", 1, "VMPL"),
        ("minimumGuestSvn", 1, "guest SVN"),
        ("policy", str(0x20000), "guest policy"),
        ("policy", str(0x30001), "guest policy"),
        ("policy", str(0x130000), "guest policy"),
        ("minimumTcb", str(0x0101000000000102), "reported TCB, boot loader"),
        ("minimumTcb", str(0x0201000000000101), "reported TCB, microcode"),
        ("minimumLaunchTcb", str(0x0102000000000101), "launch TCB, SNP"),
        ("minimumBuild", 2, "firmware build"),
        ("minimumVersion", "1.1", "firmware version"),
        ("platformInfo", "4", "platform information"),
        ("requireIdBlock", True, "ID key"),
        ("requireAuthorKey", True, "author key"),
        ("product", {"name": "SEV_PRODUCT_SIMULATED", "machineStepping": 1}, "stepping"),
    ],
)
def test_each_expectation_that_is_not_met_is_named(
    scene: Scene, field: str, value: object, claim: str
) -> None:
    assert scene.failed(scene.evidence, scene.policy_with({field: value})) == [claim]


def test_every_failed_claim_is_told_at_once(scene: Scene) -> None:
    wrong = scene.policy_with({"measurement": _b64(b"m" * 48), "vmpl": 0, "minimumTcb": str(0xFF)})
    claims = scene.failed(scene.evidence, wrong, report_data=b"n" * 64)
    assert claims == ["launch measurement", "report data", "reported TCB, boot loader", "VMPL"]


@pytest.mark.fault(54, 55)
@pytest.mark.parametrize(
    ("drop", "path"),
    [
        (lambda values: values["policy"].pop("measurement"), "policy.measurement"),
        (lambda values: values["policy"].update(measurement=""), "policy.measurement"),
        (lambda values: values["policy"].update(measurement=_b64(bytes(48))), "policy.measurement"),
        (lambda values: values["policy"].pop("hostData"), "policy.host_data"),
        (lambda values: values["policy"].pop("policy"), "policy.policy"),
        (lambda values: values["policy"].update(policy="0"), "policy.policy"),
        (lambda values: values["policy"].update(policy=str(1 << 26 | 1 << 17)), "policy.policy"),
        (lambda values: values["policy"].pop("vmpl"), "policy.vmpl"),
        (lambda values: values["policy"].pop("minimumTcb"), "policy.minimum_tcb"),
        (lambda values: values["policy"].update(minimumTcb="0"), "policy.minimum_tcb"),
        (lambda values: (values["policy"].pop("product"), values.pop("rootOfTrust")), "policy.product"),
        (lambda values: values["rootOfTrust"].update(productLine="Milan"), "policy.product"),
        (lambda values: values["policy"].update(measurment="x"), "policy.measurment"),
        (lambda values: values.update(extra=1), "extra"),
    ],
)
def test_an_expectation_that_is_absent_or_not_understood_is_an_error(
    scene: Scene, drop: Change, path: str
) -> None:
    values = scene.policy.values()
    drop(values)
    with pytest.raises(InvalidInput) as refusal:
        scene.verify(policy=PolicyDocument.from_values(values))
    assert [finding.path for finding in refusal.value.findings] == [path]


@pytest.mark.fault(54)
@pytest.mark.parametrize("report_data", [None, b""])
def test_report_data_that_nobody_expects_is_an_error(scene: Scene, report_data: bytes | None) -> None:
    with pytest.raises(InvalidInput, match=r"policy\.report_data"):
        scene.verify(report_data=report_data)


@pytest.mark.fault(58)
def test_replayed_evidence_is_refused(scene: Scene) -> None:
    assert scene.failed(report_data=b"fresh".ljust(64)) == ["report data"]


@pytest.mark.fault(58)
def test_a_guest_that_may_be_debugged_is_refused_even_by_the_policy_of_its_own_evidence(
    scene: Scene,
) -> None:
    debugged = scene.signed(policy=0xB0000)
    with pytest.raises(VerificationFailure, match="debugging by the host is on"):
        scene.verify(debugged, policy_from_evidence(debugged.report))


@pytest.mark.fault(56)
@pytest.mark.parametrize(
    ("fields", "claim"),
    [
        ({"reported_tcb": Tcb(bytes(8))}, "reported TCB, boot loader"),
        ({"reported_tcb": Tcb(b"\x01\x01\0\0\0\0\0\x01")}, "reported TCB, SNP"),
        ({"reported_tcb": Tcb(b"\x02\x01\0\0\0\0\x01\x01")}, "certified TCB, boot loader"),
        ({"current_tcb": Tcb(bytes(8)), "committed_tcb": Tcb(bytes(8))}, "current TCB, SNP"),
        ({"committed_tcb": Tcb(b"\x02\x01\0\0\0\0\x01\x01")}, "current TCB, boot loader"),
        ({"committed_tcb": Tcb(bytes(8))}, "committed TCB, microcode"),
        ({"committed_build": 0}, "committed firmware"),
        ({"committed_build": 2}, "committed firmware"),
        ({"chip_id": b"d" * 64}, "chip ID"),
        ({"cpuid_family": 0x19, "cpuid_model": 1}, "product"),
        ({"cpuid_family": 0x19, "cpuid_model": 1}, "product of the chip's certificate"),
        ({"cpuid_family": 0x17}, "product"),
    ],
)
def test_a_report_that_contradicts_its_certificate_or_rolled_back_is_refused(
    scene: Scene, fields: dict[str, Any], claim: str
) -> None:
    unpinned = scene.policy_with({"chipId": "", "minimumTcb": "1"})
    assert claim in scene.failed(scene.signed(**fields), unpinned)


def test_firmware_that_is_not_committed_is_accepted_when_the_policy_permits_it(scene: Scene) -> None:
    provisional = scene.signed(committed_build=0, committed_tcb=Tcb(bytes(8)))
    assert "committed firmware" in scene.failed(provisional)
    permitting = policy_from_evidence(provisional.report)
    assert permitting.snp_policy().policy.permit_provisional_firmware
    assert scene.verify(provisional, permitting).is_simulated


def test_committed_firmware_is_never_newer_than_the_current(scene: Scene) -> None:
    impossible = scene.signed(committed_build=2)
    permitting = scene.policy_with({"permitProvisionalFirmware": True})
    assert scene.failed(impossible, permitting) == ["committed firmware"]


def test_a_masked_chip_is_not_compared(scene: Scene) -> None:
    assert scene.verify(scene.signed(chip_id=bytes(64)), scene.policy_with({"chipId": ""})).is_simulated


def test_a_changed_claim_breaks_the_signature(scene: Scene) -> None:
    forged = replace(scene.evidence, report=replace(scene.evidence.report, guest_svn=7))
    assert scene.failed(forged) == ["report signature"]


@pytest.mark.parametrize(
    ("fields", "claim"),
    [
        ({"signature_algo": 2}, "signature algorithm"),
        ({"signer_info": 7 << 2}, "signing key"),
        ({"signer_info": 1 << 2}, "VLEK certificate"),
    ],
)
def test_a_report_that_names_another_key_is_refused(scene: Scene, fields: dict[str, int], claim: str) -> None:
    assert claim in scene.failed(scene.signed(**fields))


def test_the_root_of_the_evidence_is_never_trusted(scene: Scene) -> None:
    other = SimulatedPlatform.create(chip_id=CHIP_ID, now=NOW)
    forged = other.attest(measurement=MEASUREMENT, report_data=REPORT_DATA, report_id=REPORT_ID)
    assert forged.certificates[Endorser.ARK] == other.ark.public_bytes(Encoding.DER)
    assert scene.failed(forged) == ["certificate chain"]
    any_root = {**scene.evidence.certificates, Endorser.ARK: b"whatever the attester says"}
    assert scene.verify(scene.with_certificates(any_root)).root == scene.platform.ark


def test_an_intermediate_among_the_roots_is_no_root(scene: Scene) -> None:
    ask = scene.platform.ask.public_bytes(Encoding.PEM)
    bare = scene.with_certificates({Endorser.VCEK: scene.evidence.certificates[Endorser.VCEK]})
    assert scene.failed(roots=ask) == ["certificate chain"]
    assert scene.failed(bare) == ["certificate chain"]
    assert scene.verify(bare, roots=ask + scene.platform.root_pem).root == scene.platform.ark


def test_a_certificate_that_is_not_self_signed_is_no_root(scene: Scene) -> None:
    chain = _chain("top", "ARK-SIMULATED", "SEV-SIMULATED")
    evidence = _issued_by(chain, scene)
    assert scene.failed(evidence, roots=_pem(chain[1])) == ["certificate chain"]


@pytest.mark.parametrize(
    "names",
    [("ARK-Milan", "SEV-SIMULATED"), ("ARK-SIMULATED", "SEV-Milan"), ("ARK-SIMULATED", "SEV-VLEK-SIMULATED")],
)
def test_each_certificate_of_the_chain_has_its_name(scene: Scene, names: tuple[str, str]) -> None:
    chain = _chain(*names)
    assert scene.failed(_issued_by(chain, scene), roots=_pem(chain[0])) == ["certificate's common name"]
    right = _chain("ARK-SIMULATED", "SEV-SIMULATED")
    assert scene.verify(_issued_by(right, scene), roots=_pem(right[0])).is_simulated


Link = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _chain(*names: str) -> list[Link]:
    links: list[Link] = []
    for name in names:
        key = ec.generate_private_key(ec.SECP384R1())
        issuer, issuer_key = (links[-1][0].subject, links[-1][1]) if links else (_name(name), key)
        links.append((_builder(_name(name), issuer, key.public_key()).sign(issuer_key, SHA384()), key))
    return links


def _issued_by(chain: list[Link], scene: Scene) -> Evidence:
    """The platform's evidence with a leaf for its key that the last of a chain issued."""
    ask, ask_key = chain[-1]
    vcek = scene.platform.vcek
    builder = _builder(_name("SEV-VCEK"), ask.subject, scene.platform.key.public_key())
    for extension in vcek.extensions:
        builder = builder.add_extension(extension.value, critical=False)
    leaf = builder.sign(ask_key, SHA384())
    certificates = {Endorser.VCEK: leaf, Endorser.ASK: ask}
    return scene.with_certificates(
        {kind: item.public_bytes(Encoding.DER) for kind, item in certificates.items()}
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))


def _pem(link: Link) -> bytes:
    return link[0].public_bytes(Encoding.PEM)


def test_roots_that_cannot_be_read_are_an_error(scene: Scene) -> None:
    with pytest.raises(InvalidInput):
        scene.verify(roots=b"")


@pytest.mark.parametrize("der", [None, b"", b"garbage"])
def test_evidence_without_its_leaf_is_refused(scene: Scene, der: bytes | None) -> None:
    certificates = dict(scene.evidence.certificates)
    del certificates[Endorser.VCEK]
    if der is not None:
        certificates[Endorser.VCEK] = der
    assert scene.failed(scene.with_certificates(certificates)) == ["VCEK certificate"]


def test_a_leaf_that_is_no_chips_is_refused(scene: Scene) -> None:
    ask = scene.evidence.certificates[Endorser.ASK]
    swapped = scene.with_certificates({**scene.evidence.certificates, Endorser.VCEK: ask})
    assert scene.failed(swapped) == ["VCEK certificate"]


@pytest.mark.parametrize(("years", "ended"), [(-1, 3), (8, 1), (26, 3)])
def test_certificates_count_only_while_they_are_valid(scene: Scene, years: int, ended: int) -> None:
    claims = scene.failed(now=NOW + timedelta(days=365 * years))
    assert len(claims) == ended
    assert all(claim.startswith("date for the certificate") for claim in claims)


@pytest.mark.parametrize(("name", "line"), [("SEV_PRODUCT_MILAN", "Milan"), ("SEV_PRODUCT_TURIN", "Turin")])
def test_a_policy_for_hardware_refuses_simulated_evidence(scene: Scene, name: str, line: str) -> None:
    values = scene.policy.values()
    values["policy"]["product"] = {"name": name}
    values["rootOfTrust"] = {"productLine": line}
    with pytest.raises(VerificationFailure, match=f"product is SIMULATED, the policy wants {line}"):
        scene.verify(policy=PolicyDocument.from_values(values))


def test_what_cannot_be_checked_here_fails(scene: Scene) -> None:
    values = scene.policy.values()
    values["rootOfTrust"]["checkCrl"] = True
    values["pcr_values"] = {"sha256": {"16": "ab" * 32}}
    claims = scene.failed(scene.evidence, PolicyDocument.from_values(values))
    assert claims == ['revocation of "SEV-SIMULATED"', "PCR values"]


def test_trusted_keys_count_as_their_digests(scene: Scene) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    numbers = key.public_key().public_numbers()
    # attestation.md section 1.10: curve, QX and QY little-endian in 72 bytes each, 1028 bytes in all.
    form = b"\x02\0\0\0" + numbers.x.to_bytes(72, "little") + numbers.y.to_bytes(72, "little") + bytes(880)
    digest = hashlib.sha384(form).digest()
    launched = scene.signed(id_key_digest=digest)
    authorised = scene.signed(author_key_digest=digest, signer_info=1)
    for evidence, field in ((launched, "trustedIdKey"), (authorised, "trustedAuthorKey")):
        for trusted in ({f"{field}s": [_b64(_self_signed(key))]}, {f"{field}Hashes": [_b64(digest)]}):
            requiring = scene.policy_with({"requireIdBlock": True, **trusted})
            assert scene.verify(evidence, requiring).is_simulated
    by_author = scene.policy_with({"requireAuthorKey": True, "trustedAuthorKeyHashes": [_b64(digest)]})
    assert scene.failed(scene.signed(author_key_digest=digest), by_author) == ["author key"]
    by_id_alone = scene.policy_with({"requireAuthorKey": True, "trustedIdKeyHashes": [_b64(digest)]})
    assert scene.failed(launched, by_id_alone) == ["author key"]


def _self_signed(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = _name("ID key")
    return _builder(name, name, key.public_key()).sign(key, SHA256()).public_bytes(Encoding.DER)


def test_a_report_of_version_2_takes_its_product_from_the_certificate(scene: Scene) -> None:
    older = scene.signed(version=2)
    assert scene.verify(older).product is Product.SIMULATED
    assert policy_from_evidence(older.report).snp_policy().product is Product.MILAN


def test_no_policy_is_made_for_a_processor_that_is_not_known(scene: Scene) -> None:
    with pytest.raises(InvalidInput, match="no name in policy files"):
        policy_from_evidence(replace(scene.evidence.report, cpuid_family=0x17))


@given(st.data())
def test_evidence_with_any_byte_changed_is_never_accepted(scene: Scene, data: st.DataObject) -> None:
    # The root comes last and is not looked at; a changed place in the table may still lead to the rest.
    whole = scene.evidence.to_bytes()
    looked_at = len(whole) - len(scene.evidence.certificates[Endorser.ARK])
    changed = bytearray(whole)
    changed[data.draw(st.integers(0, looked_at - 1))] ^= data.draw(st.integers(1, 255))
    try:
        parsed = Evidence.parse(bytes(changed))
    except InvalidInput:
        return
    certificates = {**scene.evidence.certificates, **parsed.certificates}
    if (parsed.report, {**certificates, Endorser.ARK: b""}) != (
        scene.evidence.report,
        {**scene.evidence.certificates, Endorser.ARK: b""},
    ):
        assert scene.failed(parsed)
