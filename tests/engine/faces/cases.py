"""One table of what a stack goes through, and what each step has to do at either face and without one.

The steps follow each other: each declares everything that there is after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any, Final

from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.engine.provider.platform_repo import ADA, GRACE

__all__ = ["CASES", "Case", "Declared", "Ref", "in_order"]


@dataclass(frozen=True)
class Ref:
    """A property of another resource, which a preview may not know yet."""

    name: str
    output: str = "id"


Declared = Mapping[str, tuple[str, Mapping[str, Any]]]
"""Kind and inputs of each resource by its logical name."""


def in_order(declared: Declared) -> list[str]:
    """The names, each after those that it refers to."""
    needs = {name: set(_references(inputs)) for name, (_, inputs) in declared.items()}
    return list(TopologicalSorter(needs).static_order())


def _references(value: Any) -> Iterator[str]:
    match value:
        case Ref(name):
            yield name
        case list():
            for item in value:
                yield from _references(item)
        case dict():
            for item in value.values():
                yield from _references(item)


@dataclass(frozen=True)
class Case:
    """One step.

    Attributes:
        name: What it is about.
        declared: Everything that the program declares from here on.
        changes: What the step does, by logical name; what is not named stays as it is.
        leaves: How the native face tells the differences: path to kind, by logical name.
        refused: A part of the message with which it ends; None when it succeeds.
        behind: What somebody does behind the back of the stack before it: `reword`, `delete` or nothing.
        refreshed: What the refresh finds that follows on it.
    """

    name: str
    declared: Declared
    changes: Mapping[str, str] = field(default_factory=dict)
    leaves: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refused: str | None = None
    behind: str | None = None
    refreshed: Mapping[str, str] = field(default_factory=dict)


_KEYS: Final = {user: generate_key_pair(KeyAlgorithm.ED25519).public_pem.decode() for user in (ADA, GRACE)}

_NUMBERS: Final = (
    "Asset",
    {"asset_type": "dataset", "provider": ADA, "file": "numbers.txt", "description": "n"},
)
_ADDITION: Final = (
    "Asset",
    {"asset_type": "algorithm", "provider": GRACE, "file": "addition.py", "description": "adds"},
)


def _fetched(host: str) -> tuple[str, Mapping[str, Any]]:
    source = {"url": f"https://{host}.example.com/addition.py", "runtime": "python", "arguments": ["--fast"]}
    return "Asset", {**_ADDITION[1], "source": source}


_MORE: Final = (
    "Asset",
    {"asset_type": "dataset", "provider": ADA, "file": "ada.pub.pem", "description": "m"},
)
_TLS: Final = (
    "CertificateBundle",
    {"mode": "tls", "key": {"algorithm": "ecdsa"}, "dns_names": ["localhost"]},
)


def _sum(**inputs: Any) -> tuple[str, Mapping[str, Any]]:
    usual = {
        "description": "adds numbers",
        "algorithm": Ref("addition"),
        "datasets": [Ref("numbers")],
        "result_consumers": [ADA],
        "agent": {"log_level": "info"},
    }
    return "Computation", {**usual, **inputs}


def _vm(**inputs: Any) -> tuple[str, Mapping[str, Any]]:
    return "ConfidentialVM", {"vcpus": 1, **inputs}


_SECURED: Final = {
    "tls": "tls",
    "cert_file": Ref("tls", "server_certificate"),
    "server_key": Ref("tls", "server_key"),
    "log_level": "info",
}

_BASE: Final[Declared] = {"numbers": _NUMBERS, "addition": _ADDITION, "trainer": _vm(), "sum": _sum()}
_REWORDED: Final[Declared] = {**_BASE, "sum": _sum(description="adds whole numbers")}
_RESIZED: Final[Declared] = {**_REWORDED, "trainer": _vm(vcpus=2)}
_WIDER: Final[Declared] = {
    **_RESIZED,
    "more": _MORE,
    "sum": _sum(description="adds whole numbers", datasets=[Ref("numbers"), Ref("more")]),
}
_SAFE: Final[Declared] = {
    **_RESIZED,
    "more": _MORE,
    "tls": _TLS,
    "sum": _sum(description="adds whole numbers", datasets=[Ref("numbers"), Ref("more")], agent=_SECURED),
}
_NARROW: Final[Declared] = {**_RESIZED, "sum": _sum(description="adds whole numbers")}
_RUNNING: Final[Declared] = {
    **_NARROW,
    "key-ada": ("PublicKey", {"computation": Ref("sum"), "user": ADA, "key": _KEYS[ADA]}),
    "key-grace": ("PublicKey", {"computation": Ref("sum"), "user": GRACE, "key": _KEYS[GRACE]}),
    "run": (
        "ComputationRun",
        {
            "computation": Ref("sum"),
            "vm": Ref("trainer"),
            "triggers": {"ada": Ref("key-ada", "fingerprint"), "grace": Ref("key-grace", "fingerprint")},
            "wait": False,
            "stop_on_delete": True,
        },
    ),
}

CASES: Final = (
    Case(
        "an update that fails half way",
        {**_BASE, "sum": _sum(result_consumers=["nobody"])},
        {"numbers": "create", "addition": "create", "trainer": "create", "sum": "create"},
        refused='there is no user "nobody"',
    ),
    Case("what was made is taken up again", _BASE, {"sum": "update"}),
    Case("nothing to do", _BASE),
    Case(
        "another spelling",
        {**_BASE, "sum": _sum(result_consumers=["ADA@EXAMPLE.COM"], agent={"log_level": "INFO"})},
    ),
    Case("a word", _REWORDED, {"sum": "update"}, {"sum": {"description": "update"}}),
    Case(
        "a word within",
        {**_REWORDED, "sum": _sum(description="adds whole numbers", agent={"log_level": "debug"})},
        {"sum": "update"},
        {"sum": {"agent.logLevel": "update"}},
    ),
    Case("back", _REWORDED, {"sum": "update"}, {"sum": {"agent.logLevel": "update"}}),
    Case(
        "a source",
        {**_REWORDED, "addition": _fetched("data")},
        {"addition": "update"},
        {"addition": {"source": "add"}},
    ),
    Case(
        "another source",
        {**_REWORDED, "addition": _fetched("mirror")},
        {"addition": "update"},
        {"addition": {"source.url": "update"}},
    ),
    Case(
        "another size, and an upload again",
        _RESIZED,
        {"trainer": "replace", "addition": "update"},
        {"trainer": {"vcpus": "update-replace"}, "addition": {"source": "delete"}},
    ),
    Case("an input that is not known yet", _WIDER, {"more": "create", "sum": "update"}),
    Case("a secret", _SAFE, {"tls": "create", "sum": "update"}),
    Case("nobody's name", {**_SAFE, "sum": _sum(description=" ")}, refused="must not be empty"),
    Case(
        "a policy that nobody would hold a VM to",
        {**_SAFE, "trainer": _vm(vcpus=2, provider="cocos", manager="127.0.0.1:9", policy="{}")},
        refused="shows no evidence here",
    ),
    Case("less", _NARROW, {"more": "delete", "tls": "delete", "sum": "update"}),
    Case(
        "drift",
        _NARROW,
        {"sum": "update"},
        {"sum": {"description": "update"}},
        behind="reword",
        refreshed={"sum": "update"},
    ),
    Case("a run", _RUNNING, {"key-ada": "create", "key-grace": "create", "run": "create"}),
    Case(
        "frozen",
        {**_RUNNING, "sum": _sum(description="adds whole numbers", agent={"log_level": "debug"})},
        {"sum": "update"},
        refused="cannot change while a run is going on",
    ),
    Case("its end", _NARROW, {"key-ada": "delete", "key-grace": "delete", "run": "delete", "sum": "update"}),
    Case("vanished", _NARROW, {"sum": "create"}, behind="delete", refreshed={"sum": "delete"}),
    Case("the end", {}, dict.fromkeys(_NARROW, "delete")),
)
