from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation import PolicyDocument
from prism_iac.attestation.policy import canonical_policy
from tests.unit.attestation.policy.policies import as_document, snp_values, tdx_values

SAMPLES = Path(__file__).parent / "samples"


def test_an_edited_file_of_the_hosts_tool_is_written_as_the_participants_tool_writes_it() -> None:
    host = PolicyDocument.parse((SAMPLES / "host-tool.json").read_bytes())
    edited = canonical_policy(host.with_measurement(bytes(range(48))))
    assert edited.to_bytes() == (SAMPLES / "host-tool.edited.json").read_bytes()


def test_the_tdx_sample_is_canonical_already() -> None:
    sample = (SAMPLES / "tdx.json").read_bytes()
    assert canonical_policy(PolicyDocument.parse(sample)).to_bytes() == sample


@given(snp_values())
def test_the_canonical_form_of_snp_expects_the_same(values: dict[str, Any]) -> None:
    document = as_document(values)
    canonical = canonical_policy(document)
    before, after = document.snp_policy(), canonical.snp_policy()
    assert _told(after.model_dump()) == _told(before.model_dump())
    assert sorted(after.unknown()) == sorted(before.unknown())
    assert canonical_policy(canonical) == canonical


@given(tdx_values())
def test_the_canonical_form_of_tdx_expects_the_same(values: dict[str, Any]) -> None:
    document = as_document(values)
    canonical = canonical_policy(document)
    assert canonical.is_tdx
    before, after = document.tdx_policy(), canonical.tdx_policy()
    assert _told(after.model_dump()) == _told(before.model_dump())
    assert sorted(after.unknown()) == sorted(before.unknown())
    assert canonical_policy(canonical) == canonical


@given(snp_values(), st.data())
def test_the_canonical_form_does_not_depend_on_spelling_or_order(
    values: dict[str, Any], data: st.DataObject
) -> None:
    shuffled = dict(data.draw(st.permutations(list(values.items()))))
    policy = shuffled["policy"] = dict(data.draw(st.permutations(list(values["policy"].items()))))
    for name, value in list(policy.items()):
        if isinstance(value, int) and not isinstance(value, bool) and name in ("minimumTcb", "minimum_tcb"):
            policy[name] = str(value)
    assert canonical_policy(as_document(shuffled)) == canonical_policy(as_document(values))


def test_least_values_of_zero_are_left_out_and_exact_ones_kept() -> None:
    values: dict[str, Any] = {
        "policy": {
            "minimum_build": 0,
            "minimum_tcb": 0,
            "vmpl": 0,
            "platform_info": 0,
            "require_id_block": False,
        }
    }
    assert canonical_policy(as_document(values)).values()["policy"] == {"platformInfo": "0", "vmpl": 0}


def test_certificates_of_trusted_keys_are_kept(id_certificate: bytes) -> None:
    text = base64.b64encode(id_certificate).decode()
    document = as_document({"policy": {"trusted_id_keys": [text]}})
    assert canonical_policy(document).values()["policy"] == {"trustedIdKeys": [text]}


def test_a_policy_for_tdx_that_expects_nothing_stays_one() -> None:
    empty = as_document({"policy": {"header_policy": {}}})
    assert json.loads(canonical_policy(empty).to_bytes()) == {"policy": {"tdQuoteBodyPolicy": {}}}


def _told(dump: Any) -> Any:
    """What a typed policy expects: without fields that expect nothing, in any of the ways to say so."""
    if dump == {"parts": bytes(8)}:
        return None
    if isinstance(dump, dict):
        found = {key: _told(value) for key, value in dump.items()}
        zero_tells = ("vmpl", "platform_info", "stepping", "machine_stepping")
        return {
            key: value
            for key, value in found.items()
            if value not in (None, "", {}, (), False) or (value == 0 and key in zero_tells)
        }
    if isinstance(dump, tuple) and not any(dump):
        return ()
    return dump
