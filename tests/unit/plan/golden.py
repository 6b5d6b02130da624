"""The plans whose every form is kept in `expected/`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from prism_iac.plan import Entry, Event, Plan, RuleFinding
from tests.unit.plan.scene import (
    ADA,
    ALGORITHM,
    BUNDLE,
    COMPUTATION,
    NOW,
    PARTS,
    POLICY,
    RUN,
    RUN_USES,
    UNKNOWN,
    VM,
    Scene,
    canary,
    key,
    secret,
    stack,
    urn,
)

__all__ = ["PLANS"]


def _algorithm_changed() -> Plan:
    """Another algorithm: the run is made again, and everyone looks at the manifest."""
    return stack(
        lin_reg={"op": "update", "new": {**ALGORITHM, "checksum": "ee" * 32}},
        run={
            "op": "replace",
            "new": {**RUN, "triggers": {"algorithm": "ee" * 32}},
            "replaces": ["triggers"],
        },
    ).plan()


def _vm_replaced() -> Plan:
    scene = stack(
        trainer={"op": "replace", "new": {**VM, "vcpus": 4, "name": "trainer-2"}, "replaces": ["vcpus"]},
        run={"op": "replace", "new": {**RUN, "vm": UNKNOWN}, "replaces": ["vm"]},
    )
    return scene.plan(
        rules=(
            RuleFinding(rule="no-debug-logs", resource="iris-regression", message="logs at the level debug"),
            RuleFinding(
                rule="pinned-assets",
                resource="iris",
                message="the checksum is not pinned",
                waived=True,
                waiver="grace until 2027-01-01: a trial",
            ),
        )
    )


def _trust_and_renewal() -> Plan:
    """A policy that gets looser and tighter at once, and certificates whose window has begun."""
    ends = (NOW + timedelta(days=12)).isoformat()
    begins = (NOW - timedelta(days=353)).isoformat()
    approvals = [{"change": "minimum_tcb", "by": "grace", "reason": "old machines", "until": "2999-12-31"}]
    scene = Scene()
    scene.add(
        "update",
        "AttestationPolicy",
        "snp",
        old=POLICY,
        new={**POLICY, "minimum_tcb": {"snp": 7}, "measurement": "dd" * 48, "approvals": approvals},
    )
    scene.add(
        "update",
        "CertificateBundle",
        "agent-tls",
        old=BUNDLE,
        new=BUNDLE,
        outputs={"not_before": begins, "not_after": ends, "ca_key": secret(canary("AAAA"))},
    )
    agent = {
        "tls": "mtls",
        "log_level": "info",
        "attested_tls": False,
        "cert_file": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "server_key": secret(canary("BBBB")),
    }
    follows = {"tls": "mtls", "log_level": "info", "cert_file": UNKNOWN, "server_key": secret(UNKNOWN)}
    scene.add(
        "update",
        "Computation",
        "iris-regression",
        old={**COMPUTATION, "agent": agent},
        new={**COMPUTATION, "agent": follows},
        uses={"agent": [urn("CertificateBundle", "agent-tls")]},
    )
    dates = (
        Entry(NOW - timedelta(days=18), Event.RENEWS, "certificates agent-tls"),
        Entry(NOW + timedelta(days=12), Event.EXPIRES, "certificates agent-tls"),
        Entry(NOW + timedelta(days=91), Event.EXPIRES, "agent of another"),
    )
    return scene.plan(dates=dates)


def _new_stack() -> Plan:
    """Nothing is there yet, and a run would be refused for want of a key and of consumers."""
    scene = Scene()
    scene.add("create", "Asset", "lin-reg", new=ALGORITHM)
    scene.add(
        "create",
        "Computation",
        "iris-regression",
        new={**COMPUTATION, "algorithm": UNKNOWN, "datasets": [], "result_consumers": []},
        uses={"algorithm": PARTS["algorithm"]},
    )
    scene.add(
        "create",
        "PublicKey",
        "ada",
        new={**key(ADA), "computation": UNKNOWN},
        uses={"computation": RUN_USES["computation"]},
    )
    return scene.plan()


def _refused() -> Plan:
    scene = Scene()
    scene.diagnostics.append(
        {
            "severity": "error",
            "urn": urn("AttestationPolicy", "snp"),
            "message": "error: minimum_tcb: gets looser, from 8 to 7\n  Take it back, or have it approved.",
        }
    )
    return scene.plan()


PLANS: Final = {
    "algorithm-changed": _algorithm_changed(),
    "new-stack": _new_stack(),
    "nothing": stack().plan(),
    "refused": _refused(),
    "trust-and-renewal": _trust_and_renewal(),
    "vm-replaced": _vm_replaced(),
}
