"""What a command of the engine did, read from its event log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Event = Mapping[str, Any]

_UNCHANGED: Final = frozenset({"same", "read", "refresh"})
# The three steps of a replacement are one change; this one carries the reasons.
_PARTS_OF_A_REPLACEMENT: Final = frozenset({"create-replacement", "delete-replaced"})


@dataclass(frozen=True)
class Step:
    """One step of the engine for one resource.

    Attributes:
        op: The engine's word: `create`, `update`, `replace`, `delete`, `same`, ...
        urn: The resource.
        type: Its type token.
        old: Its state before (`id`, `inputs`, `outputs`, ...); secrets are masked. Empty for a create.
        new: Its state afterwards; empty for a delete.
        detailed_diff: Property path to the kind of its change, such as `update-replace`.
        replace_keys: The properties for which it is replaced.
        failed: The provider refused it.
    """

    op: str
    urn: str
    type: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    detailed_diff: Mapping[str, str]
    replace_keys: tuple[str, ...]
    failed: bool = False

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True)
class Diagnostic:
    """Something the user is told; `severity` is `info`, `info#err`, `warning` or `error`."""

    severity: str
    message: str
    urn: str


@dataclass(frozen=True)
class Outcome:
    """What a command did.

    Attributes:
        exit_code: Its exit code; negative when a signal ended it.
        text: What it printed, stdout and stderr together, without colours.
        steps: Every step, in the order in which the engine began them.
        summary: How many resources had each op, as the engine counts them; the stack itself is one.
        diagnostics: Everything the user was told, but for debugging output.
    """

    exit_code: int
    text: str
    steps: tuple[Step, ...] = ()
    summary: Mapping[str, int] | None = None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def changes(self) -> dict[str, str]:
        """Logical name to op of every resource that changes; the stack and providers are left out.

        Empty for a preview after which an update would do nothing.
        """
        return {
            step.name: step.op
            for step in self.steps
            if step.op not in _UNCHANGED | _PARTS_OF_A_REPLACEMENT
            and not step.type.startswith(("pulumi:pulumi:", "pulumi:providers:"))
        }

    def step(self, name: str) -> Step:
        """The step of the resource with a logical name; of a replacement the one called `replace`."""
        found = [step for step in self.steps if step.name == name and step.op not in _PARTS_OF_A_REPLACEMENT]
        assert len(found) == 1, f"{name} has {len(found)} steps:\n{self.text}"
        return found[0]

    @property
    def errors(self) -> list[str]:
        """The messages of severity `error`."""
        return [item.message for item in self.diagnostics if item.severity == "error"]


def outcome_of(exit_code: int, text: str, events: Iterable[Event]) -> Outcome:
    """The outcome that an event log tells, in the form of `--event-log`."""
    steps: dict[tuple[str, str], Step] = {}
    diagnostics: list[Diagnostic] = []
    summary: Mapping[str, int] | None = None
    for event in events:
        match event:
            case {"resourcePreEvent": {"metadata": metadata}} | {"resOutputsEvent": {"metadata": metadata}}:
                step = _step(metadata)
                steps[step.urn, step.op] = step
            case {"resOpFailedEvent": {"metadata": metadata}}:
                step = _step(metadata, failed=True)
                steps[step.urn, step.op] = step
            case {"diagnosticEvent": said} if said["severity"] != "debug":
                diagnostics.append(Diagnostic(said["severity"], said["message"].strip(), said.get("urn", "")))
            case {"summaryEvent": {"resourceChanges": counts}}:
                summary = counts
            case _:
                continue
    return Outcome(exit_code, text, tuple(steps.values()), summary, tuple(diagnostics))


def read_events(log: str) -> list[Event]:
    """The events of a log; a command that was killed leaves its last line unfinished."""
    return [json.loads(line) for line in log.splitlines(keepends=True) if line.endswith("\n")]


def _step(metadata: Mapping[str, Any], *, failed: bool = False) -> Step:
    return Step(
        op=metadata["op"],
        urn=metadata["urn"],
        type=metadata["type"],
        old=metadata["old"] or {},
        new=metadata["new"] or {},
        detailed_diff={
            path: change["diffKind"] for path, change in (metadata.get("detailedDiff") or {}).items()
        },
        replace_keys=tuple(metadata.get("keys") or ()),
        failed=failed,
    )
