"""Evidence, its collateral, and the policies that it is held against."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.agent.atls import Prover, fresh_pair
from prism_iac.agent.atls._authenticator import Authenticator
from prism_iac.agent.atls._channel import Binding, Channel
from prism_iac.agent.atls._payload import Payload
from prism_iac.agent.atls._request import AuthenticatorRequest
from prism_iac.attestation import (
    Collateral,
    Evidence,
    EvidenceRefused,
    Nonce,
    Platform,
    PolicyDocument,
    SnpReport,
    TdxQuote,
    TpmEvidence,
    VmEvidence,
    facts_of,
    policy_from_evidence,
)
from prism_iac.attestation._cbor import decode_cbor, encode_cbor
from prism_iac.attestation._token import Token
from prism_iac.attestation.policy import PolicyFile, PolicyForm, canonical_policy
from prism_iac.attestation.snp._message import evidence_of_message, message_of_evidence
from prism_iac.testing import EvidenceLab
from tests.fuzz.target import Target

__all__ = ["TARGETS"]

_NOW = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)
_NONCE = Nonce(tee=bytes(range(64)), tpm=bytes(range(32)))


@cache
def _lab() -> EvidenceLab:
    return EvidenceLab.create(now=_NOW)


def _snp_report(data: bytes) -> None:
    report = SnpReport.parse(data)
    assert SnpReport.parse(report.to_bytes()) == report


def _snp_evidence(data: bytes) -> None:
    evidence = Evidence.parse(data)
    again = Evidence.parse(evidence.to_bytes())
    assert (again.report, again.certificates) == (evidence.report, evidence.certificates)
    evidence.crls()


def _snp_message(data: bytes) -> None:
    evidence = evidence_of_message(data)
    again = evidence_of_message(message_of_evidence(evidence))
    assert again.report == evidence.report


def _tdx_quote(data: bytes) -> None:
    quote = TdxQuote.parse(data)
    assert TdxQuote.parse(quote.to_bytes()) == quote


def _tpm(data: bytes) -> None:
    evidence = TpmEvidence.parse(data)
    assert TpmEvidence.parse(evidence.to_bytes()) == evidence


def _vm_evidence(data: bytes) -> None:
    evidence = VmEvidence.parse(data)
    facts_of(evidence)
    with suppress(EvidenceRefused):
        _lab().verify(evidence, _a_policy(), nonce=_NONCE)


@cache
def _a_policy() -> PolicyDocument:
    return policy_from_evidence(_lab().snp.attest().report)


def _token(data: bytes) -> None:
    token = Token.parse(data)
    assert Token.parse(token.to_bytes()) == token


def _cbor(data: bytes) -> None:
    value = decode_cbor(data)
    assert decode_cbor(encode_cbor(value)) == value


def _collateral(data: bytes) -> None:
    Collateral.parse(data)


def _policy(data: bytes) -> None:
    """A policy file in any form: what it says, in any other form that can hold it, and how strong it is."""
    found = PolicyFile.parse(data)
    assert PolicyFile.parse(found.to_bytes()).document.values() == found.document.values()
    canonical = canonical_policy(found.document)
    assert canonical_policy(canonical).to_bytes() == canonical.to_bytes()


def _authenticator(data: bytes) -> None:
    Authenticator.parse(data)


def _authenticator_request(data: bytes) -> None:
    request = AuthenticatorRequest.parse(data)
    assert AuthenticatorRequest.parse(request.to_bytes()) == request


def _payload(data: bytes) -> None:
    payload = Payload.parse(data)
    assert Payload.parse(payload.to_bytes()) == payload


def _reports() -> Iterator[bytes]:
    yield _lab().snp.attest(report_data=_NONCE.tee).report.to_bytes()
    yield _lab().snp.attest(version=3, report_data=_NONCE.tee).report.to_bytes()


def _evidence() -> Iterator[bytes]:
    yield _lab().snp.attest(report_data=_NONCE.tee).to_bytes()


def _messages() -> Iterator[bytes]:
    yield message_of_evidence(_lab().snp.attest(report_data=_NONCE.tee))


def _quotes() -> Iterator[bytes]:
    yield _lab().tdx.attest(report_data=_NONCE.tee).to_bytes()


def _tpms() -> Iterator[bytes]:
    yield _lab().tpm.attest(_NONCE.tpm).to_bytes()
    yield _lab().snp_vtpm(_NONCE).to_bytes()


def _tokens() -> Iterator[bytes]:
    report = next(_reports())
    yield _lab().token(report, Platform.SNP, _NONCE)
    yield encode_cbor(decode_cbor(_lab().token(report, Platform.SNP, _NONCE)).value[2])


def _all_evidence() -> Iterator[bytes]:
    for made in (_evidence(), _messages(), _quotes(), _tpms(), _tokens()):
        yield from made


def _cbors() -> Iterator[bytes]:
    yield encode_cbor({1: [None, True, -1, 1 << 40], "a": b"b", -3: {"": {}}})
    yield next(_corims())


def _policies() -> Iterator[bytes]:
    document = _a_policy()
    yield document.to_bytes()
    yield PolicyFile.make(document, PolicyForm.JSON).converted(PolicyForm.JSON).to_bytes()
    yield from _corims()
    key = ec.generate_private_key(ec.SECP256R1())
    yield PolicyFile.make(document, PolicyForm.CORIM).sign(key, signer="ada").to_bytes()


def _corims() -> Iterator[bytes]:
    for form in (PolicyForm.CORIM, PolicyForm.CORIM_AMD):
        yield PolicyFile.make(_a_policy(), form).to_bytes()


def _collaterals() -> Iterator[bytes]:
    found = _lab().tdx.collateral()
    for encoding in (Encoding.PEM, Encoding.DER):
        yield found.crls[0].public_bytes(encoding)
        yield found.certificates[0].public_bytes(encoding)
    for name, signed in (("tcbInfo", found.tcb_infos[0]), ("enclaveIdentity", found.qe_identities[0])):
        yield b'{"%b":%b,"signature":"%b"}' % (name.encode(), signed.raw, signed.signature.hex().encode())


def _export(label: bytes, length: int, context: bytes | None) -> bytes:
    return hashlib.shake_256(label + (context or b"")).digest(length)


_CONTEXT = bytes(range(32))
_CHANNEL = Channel(_export, "sha256")


def _payloads() -> Iterator[bytes]:
    yield Payload.of(b"a token", Binding.of(_CHANNEL, b"a key", _CONTEXT)).to_bytes()


def _requests() -> Iterator[bytes]:
    yield AuthenticatorRequest(_CONTEXT).to_bytes()


def _authenticators() -> Iterator[bytes]:
    prover = Prover.of(*fresh_pair(_NOW), lambda _: b"", now=lambda: _NOW)
    yield prover.identity.answer(next(_requests()), _CONTEXT, next(_payloads()), _CHANNEL)


TARGETS = (
    Target("snp-report", _snp_report, _reports),
    Target("snp-evidence", _snp_evidence, _evidence),
    Target("snp-message", _snp_message, _messages),
    Target("tdx-quote", _tdx_quote, _quotes),
    Target("tpm-evidence", _tpm, _tpms),
    Target("vm-evidence", _vm_evidence, _all_evidence),
    Target("token", _token, _tokens),
    Target("cbor", _cbor, _cbors, (ValueError,)),
    Target("collateral", _collateral, _collaterals),
    Target("policy", _policy, _policies),
    Target("attested-tls-request", _authenticator_request, _requests, (ValueError,)),
    Target("attested-tls-answer", _authenticator, _authenticators, (ValueError,)),
    Target("attested-tls-payload", _payload, _payloads, (ValueError,)),
)
