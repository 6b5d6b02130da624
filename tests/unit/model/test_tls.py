from __future__ import annotations

from itertools import chain, combinations

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.model import AGENT_TLS_FIELDS, TlsMode, tls_mode_of
from prism_iac.model.resources import AgentConfig, Computation

PEM = "-----BEGIN CERTIFICATE-----\nTWFueQ==\n-----END CERTIFICATE-----\n"
PAIR = ("cert_file", "server_key")
CAS = ("server_ca_file", "client_ca_file")

MEANINGS: dict[tuple[frozenset[str], bool], TlsMode] = {
    (frozenset(), False): TlsMode.NONE,
    (frozenset(PAIR), False): TlsMode.TLS,
    (frozenset(PAIR + CAS), False): TlsMode.MTLS,
    (frozenset(), True): TlsMode.ATLS,
    (frozenset({"client_ca_file"}), True): TlsMode.MATLS,
    (frozenset(CAS), True): TlsMode.MATLS,
    (frozenset((*PAIR, "client_ca_file")), True): TlsMode.MATLS,
    (frozenset(PAIR + CAS), True): TlsMode.MATLS,
}
"""Every set of files that means something; all others are errors."""

EVERY_SET = [
    (frozenset(fields), attested)
    for fields in chain.from_iterable(combinations(AGENT_TLS_FIELDS, size) for size in range(5))
    for attested in (False, True)
]


def properties(fields: frozenset[str], **others: object) -> dict[str, object]:
    agent = {**dict.fromkeys(fields, PEM), **others}
    return {"workspace": "w", "name": "n", "description": "d", "agent": agent}


@pytest.mark.parametrize(("fields", "attested"), EVERY_SET)
def test_the_mode_follows_from_the_files(fields: frozenset[str], attested: bool) -> None:  # noqa: FBT001  # parametrized
    expected = MEANINGS.get((fields, attested))
    assert tls_mode_of(fields, attested=attested) is expected
    if expected is None:
        with pytest.raises(InvalidInput, match="is no TLS mode"):
            Computation.parse(properties(fields, attested_tls=attested))
    else:
        agent = Computation.parse(properties(fields, attested_tls=attested)).agent
        assert (agent.tls, agent.attested_tls) == (expected, attested)


@pytest.mark.parametrize(("fields", "attested"), EVERY_SET)
@pytest.mark.parametrize("mode", TlsMode)
def test_a_stated_mode_must_agree_with_the_files(
    mode: TlsMode,
    fields: frozenset[str],
    attested: bool,  # noqa: FBT001  # parametrized
) -> None:
    if mode.is_attested is attested and MEANINGS.get((fields, attested)) is mode:
        assert AgentConfig.model_validate({"tls": mode, **dict.fromkeys(fields, PEM)}).tls is mode
    elif mode.is_attested is attested:
        with pytest.raises(InvalidInput, match=f"TLS mode {mode} (needs|does not take)"):
            Computation.parse(properties(fields, tls=mode))
    else:
        with pytest.raises(InvalidInput, match="needs attested_tls"):
            Computation.parse(properties(fields, tls=mode, attested_tls=attested))


def test_half_a_pair_is_told_as_the_half_that_is_missing() -> None:
    with pytest.raises(InvalidInput, match="TLS mode matls needs server_key"):
        Computation.parse(properties(frozenset({"client_ca_file", "cert_file"}), tls="matls"))


def test_a_private_key_is_not_repeated_in_a_finding() -> None:
    with pytest.raises(InvalidInput) as refused:
        Computation.parse(properties(frozenset(), tls="tls", cert_file=PEM, server_key="hunter2"))
    assert "hunter2" not in str(refused.value)
    assert [finding.path for finding in refused.value.findings] == ["agent.server_key"]
