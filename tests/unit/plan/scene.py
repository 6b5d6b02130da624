"""Previews as the engine writes them, for a small stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from prism_iac.plan import Plan, Preview, Surroundings, explain, read_preview

NOW: Final = datetime(2026, 11, 26, 8, tzinfo=UTC)
SALT: Final = b"salt" * 8
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
MASKED: Final = "[secret]"

ADA: Final = "ada@example.com"
GRACE: Final = "grace@example.com"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:dev::shop::prism:index:StackFile$pulumi-python:dynamic/prism:{kind}::{name}"


def secret(value: str) -> dict[str, str]:
    """A secret as state and saved plans have it, when they are asked to show it."""
    signature = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    return {**signature, "plaintext": json.dumps(value)}


def canary(name: str) -> str:
    """A private key that must not be shown."""
    return f"-----BEGIN PRIVATE KEY-----\nCANARYKEYS{name}==\n-----END PRIVATE KEY-----\n"


def masked(value: Any) -> Any:
    """What `preview --json` makes of a value."""
    if isinstance(value, Mapping):
        if "plaintext" in value:
            return MASKED
        return {name: masked(item) for name, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


@dataclass
class Scene:
    """The three documents of a preview, filled step by step."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    planned: dict[str, Any] = field(default_factory=dict)
    recorded: list[dict[str, Any]] = field(default_factory=list)
    diagnostics: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        op: str,
        kind: str,
        name: str,
        *,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        uses: Mapping[str, list[str]] | None = None,
        replaces: list[str] | None = None,
    ) -> Scene:
        """One step; `outputs` is what state has besides the inputs."""
        address = urn(kind, name)
        token = f"pulumi-python:dynamic/prism:{kind}"
        common = {"urn": address, "type": token, "propertyDependencies": uses or {}}
        step: dict[str, Any] = {"op": op, "urn": address, "replaceReasons": replaces or []}
        if old is not None:
            state = {**old, **(outputs or {})}
            own = {**common, "id": f"id-of-{name}"}
            self.recorded.append({**own, "inputs": dict(old), "outputs": state, "modified": "2026-01-01"})
            step["oldState"] = {**own, "inputs": masked(old), "outputs": masked(state)}
        if new is not None:
            self.planned[address] = {"state": dict(new), "steps": [op]}
            step["newState"] = {**common, "inputs": masked({"__provider": "gASV", **new})}
        self.steps.append(step)
        return self

    def deployment(self) -> dict[str, Any]:
        return {"resources": self.recorded}

    def preview(self) -> Preview:
        document = {"steps": self.steps, "diagnostics": self.diagnostics}
        return read_preview(document, {"resourcePlans": self.planned}, self.deployment())

    def plan(self, **more: Any) -> Plan:
        given: dict[str, Any] = {"stack": "dev", "now": NOW, "salt": SALT, **more}
        return explain(self.preview(), Surroundings(**given))


ASSET: Final[Mapping[str, Any]] = {
    "identity": "0123456789ab.0",
    "workspace": "research",
    "asset_type": "dataset",
    "provider": ADA,
    "file": "iris.csv",
    "file_name": "iris.csv",
    "checksum": "aa" * 32,
    "description": "irises",
}
ALGORITHM: Final[Mapping[str, Any]] = {
    **ASSET,
    "asset_type": "algorithm",
    "provider": GRACE,
    "file": "lin_reg.py",
    "file_name": "lin_reg.py",
    "checksum": "bb" * 32,
}
COMPUTATION: Final[Mapping[str, Any]] = {
    "identity": "1123456789ab.0",
    "workspace": "research",
    "name": "iris-regression",
    "description": "a line",
    "algorithm": "id-of-lin-reg",
    "datasets": ["id-of-iris"],
    "result_consumers": [ADA],
    "agent": {"tls": "none", "log_level": "info", "attested_tls": False},
    "stop_on_delete": False,
    "export_directory": ".prism/exports",
}
PARTS: Final = {
    "algorithm": [urn("Asset", "lin-reg")],
    "datasets": [urn("Asset", "iris")],
}
VM: Final[Mapping[str, Any]] = {
    "identity": "2123456789ab.0",
    "workspace": "research",
    "name": "trainer-1",
    "provider": "local",
    "platform": "sev-snp",
    "vcpus": 2,
    "agent_log_level": "info",
    "ready_timeout": "15m",
}
RUN: Final[Mapping[str, Any]] = {
    "identity": "3123456789ab.0",
    "workspace": "research",
    "computation": "id-of-iris-regression",
    "vm": "id-of-trainer",
    "triggers": {"algorithm": "bb" * 32},
    "wait": True,
    "timeout": "1h",
    "stop_on_delete": False,
}
RUN_USES: Final = {
    "computation": [urn("Computation", "iris-regression")],
    "vm": [urn("ConfidentialVM", "trainer")],
}
RAN: Final[Mapping[str, Any]] = {
    "number": 3,
    "status": "completed",
    "start_time": "2026-11-25T08:00:00+00:00",
    "end_time": "2026-11-25T08:04:10+00:00",
}
BUNDLE: Final[Mapping[str, Any]] = {
    "identity": "4123456789ab.0",
    "mode": "mtls",
    "common_name": "iris",
    "subject": {},
    "key": {"algorithm": "ecdsa", "size": 256},
    "validity": "365d",
    "renew_before": "30d",
    "dns_names": ["localhost"],
    "ip_addresses": [],
    "keys_on_renewal": "rotate",
}
POLICY: Final[Mapping[str, Any]] = {
    "identity": "5123456789ab.0",
    "path": "policies/snp.json",
    "expectations": {"rootOfTrust": {"productLine": "Milan"}, "policy": {"vmpl": 2, "policy": "196608"}},
    "measurement": "cc" * 48,
    "minimum_tcb": {"snp": 8},
}


def key(user: str) -> Mapping[str, Any]:
    return {
        "identity": "6123456789ab.0",
        "workspace": "research",
        "computation": "id-of-iris-regression",
        "user": user,
        "key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    }


def stack(**changes: Mapping[str, Any]) -> Scene:
    """A stack of which nothing changes but what is named: `(op, new inputs)` by resource."""
    scene = Scene()
    everything = {
        "iris": ("Asset", ASSET, {}, {}),
        "lin-reg": ("Asset", ALGORITHM, {}, {}),
        "trainer": ("ConfidentialVM", VM, {"monthly_cost_estimate": "$120"}, {}),
        "iris-regression": ("Computation", COMPUTATION, {"status": "completed"}, PARTS),
        "run": ("ComputationRun", RUN, RAN, RUN_USES),
        "ada": ("PublicKey", key(ADA), {}, {"computation": RUN_USES["computation"]}),
        "grace": ("PublicKey", key(GRACE), {}, {"computation": RUN_USES["computation"]}),
    }
    for name, (kind, inputs, outputs, uses) in everything.items():
        given: dict[str, Any] = {"op": "same", "new": inputs, "outputs": outputs, "uses": uses}
        given |= changes.get(name.replace("-", "_"), {})
        scene.add(given.pop("op"), kind, name, old=inputs, **given)
    return scene
