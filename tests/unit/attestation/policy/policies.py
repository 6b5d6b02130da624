"""Policies drawn by hypothesis, in both spellings, with fields that nobody knows."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from prism_iac.attestation import PolicyDocument


def _as_it_is(name: str) -> str:
    return name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def octets(size: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=size, max_size=size).map(lambda data: base64.b64encode(data).decode())


def number(bits: int) -> st.SearchStrategy[Any]:
    return st.integers(0, 2**bits - 1).flatmap(lambda value: st.sampled_from([value, str(value)]))


def digests(size: int) -> st.SearchStrategy[Any]:
    return st.none() | st.dictionaries(
        st.integers(0, 23).map(str), st.binary(min_size=size, max_size=size).map(bytes.hex), max_size=3
    )


PRODUCT = st.sampled_from(["SEV_PRODUCT_MILAN", "SEV_PRODUCT_TURIN", "SEV_PRODUCT_SIMULATED", 2, 0])
LINE = st.sampled_from(["Milan", "Genoa", "Turin", "SIMULATED"])

SNP_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "minimum_guest_svn": number(32),
    "policy": number(64),
    "family_id": octets(16),
    "image_id": octets(16),
    "vmpl": st.integers(0, 3),
    "minimum_tcb": number(64),
    "minimum_launch_tcb": number(64),
    "platform_info": number(64),
    "require_author_key": st.booleans(),
    "report_data": octets(64),
    "measurement": octets(48),
    "host_data": octets(32),
    "report_id": octets(32),
    "report_id_ma": octets(32),
    "chip_id": octets(64),
    "minimum_build": number(8),
    "minimum_version": st.sampled_from(["0.0", "1.55", "255.255"]),
    "permit_provisional_firmware": st.booleans(),
    "require_id_block": st.booleans(),
    "trusted_author_key_hashes": st.lists(octets(48), max_size=2),
    "trusted_id_key_hashes": st.lists(octets(48), max_size=2),
}
SNP_ROOT: dict[str, st.SearchStrategy[Any]] = {
    "product": LINE,
    "product_line": LINE,
    "check_crl": st.booleans(),
    "disallow_network": st.booleans(),
    "cabundle_paths": st.lists(st.just("ask_ark.pem"), max_size=2),
    "cabundles": st.lists(st.just("PEM"), max_size=1),
}
PCRS: dict[str, st.SearchStrategy[Any]] = {"sha1": digests(20), "sha256": digests(32), "sha384": digests(48)}

TDX_HEADER: dict[str, st.SearchStrategy[Any]] = {
    "minimum_qe_svn": number(16),
    "minimum_pce_svn": number(16),
    "qe_vendor_id": octets(16),
}
TDX_BODY: dict[str, st.SearchStrategy[Any]] = {
    "minimum_tee_tcb_svn": octets(16),
    "mr_seam": octets(48),
    "td_attributes": octets(8),
    "xfam": octets(8),
    "mr_td": octets(48),
    "mr_config_id": octets(48),
    "mr_owner": octets(48),
    "mr_owner_config": octets(48),
    "rtmrs": st.lists(octets(48) | st.just(""), min_size=4, max_size=4),
    "report_data": octets(64),
    "any_mr_td": st.lists(octets(48), max_size=2),
    "enable_td_debug_check": st.booleans(),
}
TDX_ROOT: dict[str, st.SearchStrategy[Any]] = {
    "product": st.sampled_from(["Intel", "SIMULATED"]),
    "cabundle_paths": st.lists(st.just("root.pem"), max_size=1),
    "check_crl": st.booleans(),
    "get_collateral": st.booleans(),
}


SPELLINGS: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([_as_it_is, to_camel])


@st.composite
def section(
    draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]], *, with_unknown: bool = True
) -> dict[str, Any]:
    spell = draw(SPELLINGS)
    values = draw(st.fixed_dictionaries({}, optional=fields))
    unknown = (
        draw(st.dictionaries(st.sampled_from(["later", "xNew"]), JSON, max_size=2)) if with_unknown else {}
    )
    return {spell(name): value for name, value in values.items()} | unknown


@st.composite
def snp_values(draw: st.DrawFn, *, with_unknown: bool = True) -> dict[str, Any]:
    policy = draw(section(SNP_FIELDS, with_unknown=with_unknown))
    product = draw(
        section(
            {"name": PRODUCT, "stepping": number(8), "machine_stepping": number(8)}, with_unknown=with_unknown
        )
    )
    if draw(st.booleans()):
        policy["product"] = product
    return draw(
        st.fixed_dictionaries(
            {"policy": st.just(policy)},
            optional={
                draw(st.sampled_from(["root_of_trust", "rootOfTrust"])): section(
                    SNP_ROOT, with_unknown=with_unknown
                ),
                "pcr_values": section(PCRS, with_unknown=with_unknown),
                **({"later": JSON} if with_unknown else {}),
            },
        )
    )


@st.composite
def tdx_values(draw: st.DrawFn) -> dict[str, Any]:
    spell = draw(SPELLINGS)
    policy = draw(st.dictionaries(st.just("later"), JSON)) | {
        spell("td_quote_body_policy"): draw(section(TDX_BODY)),
        spell("header_policy"): draw(section(TDX_HEADER)),
    }
    return {"policy": policy, spell("root_of_trust"): draw(section(TDX_ROOT))}


def as_document(values: dict[str, Any]) -> PolicyDocument:
    """The document of JSON values, floating ones among them."""
    return PolicyDocument.parse(json.dumps(values).encode())
