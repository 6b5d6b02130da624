"""Agents: a TLS mode with all that it needs and nothing that it would leave unused."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.errors import Finding
from prism_iac.model import (
    AGENT_TLS_FIELDS,
    OPTIONAL_TLS_FIELDS,
    REQUIRED_TLS_FIELDS,
    Location,
    nearest,
    shown,
)
from prism_iac.model.stack import AgentEntry, ComputationEntry
from prism_iac.spec._draft import Draft
from prism_iac.spec._tls import BUNDLE_FIELDS, mode_of
from prism_iac.spec.checks._pem_file import PemFiles

__all__ = ["check_agents"]


def check_agents(draft: Draft) -> Iterator[Finding]:
    """TLS modes without their files, files that do not fit, and evidence that nobody would check."""
    pem_files = PemFiles(draft)
    for name, computation in draft.computations.items():
        agent, location = computation.agent, ("computations", name, "agent")
        given = [field for field in AGENT_TLS_FIELDS if getattr(agent, field) is not None]
        if given and agent.certificates is not None:
            yield draft.finding(
                (*location, "certificates"),
                f"both certificates and files are given: {', '.join(given)}",
                "Keep one of the two.",
            )
        elif given:
            yield from pem_files.check(location, agent)
        elif agent.certificates is not None:
            yield from _bundle(draft, location, agent)
        else:
            yield from _without_files(draft, location, agent)
        yield from _policy(draft, location, computation)


def _without_files(draft: Draft, location: Location, agent: AgentEntry) -> Iterator[Finding]:
    if agent.tls is None:
        yield draft.finding(
            location,
            "nothing says how the agent is secured",
            "Write `agent: {tls: mtls, certificates: NAME}`; `tls: none` is for development.",
            at_name=True,
        )
    elif missing := REQUIRED_TLS_FIELDS[agent.tls]:
        yield draft.finding(
            (*location, "tls"),
            f"TLS mode {agent.tls} needs certificates",
            f"Add `certificates:` with the name of an entry, or as PEM files: {', '.join(sorted(missing))}.",
        )


def _bundle(draft: Draft, location: Location, agent: AgentEntry) -> Iterator[Finding]:
    bundle = draft.certificates.get(agent.certificates or "")
    if bundle is None:
        return
    mode = agent.tls or bundle.mode
    used = REQUIRED_TLS_FIELDS[mode] | OPTIONAL_TLS_FIELDS.get(mode, frozenset())
    if not used:
        yield draft.finding(
            (*location, "certificates"),
            f"TLS mode {mode} takes no certificates",
            "Remove them, or choose mtls.",
        )
    elif missing := REQUIRED_TLS_FIELDS[mode] - BUNDLE_FIELDS[bundle.mode]:
        yield draft.finding(
            (*location, "certificates"),
            f'TLS mode {mode} needs {", ".join(sorted(missing))}, which "{agent.certificates}" does not make',
            f"Say `mode: {mode}` in it; its mode is {bundle.mode}.",
        )


def _policy(draft: Draft, location: Location, computation: ComputationEntry) -> Iterator[Finding]:
    agent = computation.agent
    mode = mode_of(agent, draft.certificates)
    if mode is None:
        return
    if mode.is_attested and agent.attestation_policy is None:
        yield draft.finding(
            (*location, "tls"),
            f"TLS mode {mode} needs an attestation policy, or nobody would check the evidence",
            f"Add `attestation_policy:`. {nearest('', draft.attestation_policies)}".strip(),
        )
    if agent.attestation_policy is None:
        return
    if not mode.is_attested:
        yield draft.finding(
            (*location, "attestation_policy"),
            f"TLS mode {mode} carries no evidence, so the policy would check nothing",
            "Choose atls or matls, or remove the policy.",
        )
    policy = draft.attestation_policies.get(agent.attestation_policy)
    if policy and policy.vm and computation.vm and policy.vm != computation.vm:
        yield draft.finding(
            (*location, "attestation_policy"),
            f"the policy is that of the VM {shown(policy.vm)}, and the computation runs on {shown(computation.vm)}",
            "Take a policy of the VM that it runs on.",
        )
