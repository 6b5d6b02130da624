from __future__ import annotations

import base64
import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from prism_iac.model import Action, Refusal, address_of, parse_duration
from prism_iac.model import _canonical as canonical

PEM = "-----BEGIN CERTIFICATE-----\nTWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcms=\n-----END CERTIFICATE-----\n"

SPELLINGS: list[tuple[Any, Any, list[Any]]] = [
    (canonical.Text, "research", ["research", "  research\n"]),
    (canonical.User, "ada@example.com", ["ada@example.com", " Ada@Example.COM "]),
    (canonical.WholeNumber, 4, [4, 4.0, "4"]),
    (canonical.UniqueTexts, ("a", "b"), [["a", "b"], ["b", "a", "b"], ("b", " a")]),
    (canonical.UniqueUsers, ("ada@x", "eve"), [["eve", "ADA@x"], ["ada@X", "eve", "eve"]]),
    (canonical.Checksum, "ab" * 32, ["ab" * 32, "AB" * 32, f" {'aB' * 32}\n"]),
    (canonical.Pem, PEM, [PEM, PEM.replace("\n", "\r\n"), f"Subject: Ada\n{PEM}trailing", PEM.replace("aGFuZH", "aGF\nuZH")]),
    (canonical.Duration, "1d", ["1d", "24h", "1440m", "86400s", "23h60m"]),
    (canonical.Duration, "1h30m", ["90m", "1h30m", "30m1h", "5400s"]),
    (canonical.Duration, "0s", ["0s", "0d", "0h0m"]),
    (canonical.LevelText, "warn", ["warn", "WARN", "Warning"]),
    (canonical.PlatformText, "sev-snp", ["sev-snp", "SEV SNP", "SEV_SNP", "AMD SEV-SNP", "snp"]),
    (canonical.PlatformText, "tdx", ["tdx", "TDX", "Intel TDX"]),
    (canonical.ProviderText, "ultraviolet", ["ultraviolet", "Ultraviolet", "manager", "Manager"]),
    (canonical.AssetKindText, "dataset", ["dataset", "Dataset", " DATASET "]),
    (canonical.RuntimeText, "wasm", ["wasm", "WASM"]),
    (canonical.DnsName, "agent.example.com", ["agent.example.com", "Agent.Example.Com"]),
    (canonical.IpAddress, "::1", ["::1", "0:0:0:0:0:0:0:1", " ::0001 "]),
    (canonical.Address, "lab.example.com:7020", ["lab.example.com:7020", " Lab.Example.com:7020\n"]),
    (canonical.Address, "[2001:db8::7]:1", ["[2001:db8::7]:1", "[2001:DB8::7]:1"]),
    (canonical.Address, "10.0.0.7:65535", ["10.0.0.7:65535"]),
    (canonical.ActionSet, ("run", "view"), [["run"], ["view", "RUN"], ["runner"], ["Runner", "runner"]]),
    (canonical.ActionSet, ("dataset_provider", "view"), [["dataset_provider"], ["DatasetProvider"], ["dataset-provider"]]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "expected", "spelling"),
    [(kind, expected, spelling) for kind, expected, spellings in SPELLINGS for spelling in spellings],
)
def test_every_accepted_spelling_has_one_canonical_form(kind: Any, expected: Any, spelling: Any) -> None:
    assert TypeAdapter(kind).validate_python(spelling) == expected


@pytest.mark.parametrize(("kind", "expected"), [(kind, expected) for kind, expected, _ in SPELLINGS])
def test_a_canonical_value_is_its_own_canonical_form(kind: Any, expected: Any) -> None:
    once = TypeAdapter(kind).validate_python(expected)
    assert TypeAdapter(kind).validate_python(once) == once


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (canonical.Text, " \n"),
        (canonical.WholeNumber, 4.5),
        (canonical.WholeNumber, True),
        (canonical.Checksum, "ab" * 31),
        (canonical.Checksum, "xy" * 32),
        (canonical.Pem, "MIIB"),
        (canonical.Pem, PEM.replace("TWFu", "TWF")),
        (canonical.Pem, PEM.replace("END CERTIFICATE", "END KEY")),
        (canonical.Duration, ""),
        (canonical.Duration, "1y"),
        (canonical.Duration, "1 d"),
        (canonical.Duration, "-1d"),
        (canonical.Duration, "1.5h"),
        (canonical.IpAddress, "10.0.0.256"),
        (canonical.Address, "lab.example.com"),
        (canonical.Address, ":7020"),
        (canonical.Address, "lab.example.com:"),
        (canonical.Address, "lab.example.com:0"),
        (canonical.Address, "lab.example.com:65536"),
        (canonical.Address, "lab.example.com:07020"),
        (canonical.Address, "2001:db8::7:7020"),
        (canonical.Address, "https://lab.example.com:7020"),
        (canonical.Address, "dns:///lab.example.com:7020"),
        (canonical.ActionSet, ["fly"]),
        (canonical.ActionSet, "run"),
    ],
)
def test_what_no_spelling_rule_covers_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1:7020"), ("lab.example.com", "lab.example.com:7020"), ("::1", "[::1]:7020")],
)
def test_an_address_is_made_of_its_parts(host: str, address: str) -> None:
    assert address_of(host, 7020) == address == TypeAdapter(canonical.Address).validate_python(address)


def test_view_is_always_among_the_actions() -> None:
    assert TypeAdapter(canonical.ActionSet).validate_python([]) == (Action.VIEW,)


@given(st.lists(st.tuples(st.integers(0, 10**4), st.sampled_from("dhms")), min_size=1, max_size=6))
def test_a_duration_keeps_its_length(parts: list[tuple[int, str]]) -> None:
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    length = sum((timedelta(**{units[unit]: number}) for number, unit in parts), timedelta())
    text = "".join(f"{number}{unit}" for number, unit in parts)
    shortest = TypeAdapter(canonical.Duration).validate_python(text)
    assert parse_duration(text) == parse_duration(shortest) == length
    assert TypeAdapter(canonical.Duration).validate_python(shortest) == shortest


def test_a_refused_duration_says_what_to_write() -> None:
    with pytest.raises(Refusal, match="no duration") as refused:
        parse_duration("soon")
    assert "365d" in refused.value.fix


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=3), st.integers(1, 90))
def test_a_pem_file_keeps_its_blocks_however_its_lines_are_broken(blocks: list[bytes], width: int) -> None:
    def pem(width: int, end: str) -> str:
        lines = []
        for block in blocks:
            body = base64.b64encode(block).decode()
            lines += [
                "-----BEGIN X-----",
                *("".join(part) for part in _batched(body, width)),
                "-----END X-----",
            ]
        return end.join(lines) + end

    adapter = TypeAdapter(canonical.Pem)
    assert (
        adapter.validate_python(pem(width, "\r\n")) == adapter.validate_python(pem(64, "\n")) == pem(64, "\n")
    )


def _batched(text: str, size: int) -> list[str]:
    return ["".join(item for item in part if item) for part in itertools.zip_longest(*[iter(text)] * size)]


@given(st.lists(st.text(alphabet="abc ", min_size=1, max_size=3).filter(str.strip), max_size=6), st.randoms())
def test_the_order_of_a_set_means_nothing(names: list[str], random: Any) -> None:
    adapter = TypeAdapter(canonical.UniqueTexts)
    shuffled = random.sample(names, len(names))
    assert adapter.validate_python(names) == adapter.validate_python(shuffled)
