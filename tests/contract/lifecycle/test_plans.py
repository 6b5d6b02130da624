"""What a plan says is what happens: over many random edits, against the real backend."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from prism_iac.lifecycle import HANDLERS, Live, diff
from prism_iac.plan import Effect, Impact, Need, Plan, Preview, ResourceChange, Surroundings, explain
from prism_iac.plan._preview import Resource
from tests.contract.lifecycle.stage import ADA, EVE, GRACE, Stage

NOW: Final = datetime(2026, 11, 26, tzinfo=UTC)
EDITS: Final = 200
TOKEN: Final = "prism:index"

POOLS: Final[Mapping[str, Mapping[str, list[Any]]]] = {
    "Asset": {
        "description": ["a", "b", "c"],
        "mime_type": ["text/csv", "text/plain", None],
        "checksum": ["aa" * 32, "BB" * 32, "bb" * 32],
        "file_name": ["a.csv", "b.csv"],
        "provider": [ADA, "Ada@Example.com", GRACE],
        "asset_type": ["dataset", "Dataset", "algorithm"],
    },
    "Computation": {
        "description": ["a", "b"],
        "name": ["sum", "difference"],
        "result_consumers": [[ADA], [ADA, EVE], [EVE, ADA], []],
        "agent": [{}, {"log_level": "debug"}, {"log_level": "DEBUG"}, {"log_level": "info"}],
        "stop_on_delete": [True, False],
        "datasets": ["one", "both", "none"],
    },
    "CertificateBundle": {
        "dns_names": [["localhost"], ["a.example", "b.example"], ["b.example", "a.example"]],
        "renew_before": ["10d", "20d", "240h"],
        "validity": ["90d", "80d", "2160h"],
        "common_name": ["iris", "tulip"],
        "keys_on_renewal": ["rotate", "reuse"],
        "key": [
            {"algorithm": "ecdsa"},
            {"algorithm": "ecdsa", "size": 256},
            {"algorithm": "ecdsa", "size": 384},
        ],
    },
    "AttestationPolicy": {
        "path": ["policies/a.json", "policies/b.json"],
        "measurement": ["aa" * 48, "BB" * 48, "bb" * 48],
        "minimum_tcb": [{"snp": 7}, {"snp": 8.0}, {"snp": 8}, {"snp": 8, "tee": 1}],
        "accept": [["cc" * 48, "dd" * 48], ["dd" * 48, "cc" * 48], None],
    },
}
"""Spellings to draw from, some of which mean the same."""


@dataclass
class Subject:
    """One live object, and what it was made from."""

    kind: str
    live: Live[Any]
    written: dict[str, Any]
    generation: int = 0
    actual: dict[str, Any] = field(default_factory=dict)


@dataclass
class Trial:
    """Edits objects at random, and holds what happens to what was planned."""

    stage: Stage
    observer: Stage
    """A later deployment, which only reads."""
    rng: random.Random
    assets: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[str, Effect | None]] = field(default_factory=set)

    def edit(self, subject: Subject) -> None:
        assert self.stage.clock is not None
        self.stage.clock += timedelta(days=self.rng.choice([0, 0, 3, 15, 40]))
        pool = POOLS[subject.kind]
        chosen = self.rng.sample(sorted(pool), self.rng.randint(0, 3))
        written = {**subject.written, **{name: self.rng.choice(pool[name]) for name in chosen}}
        inputs = self.checked(subject, written)
        plan = self.plan(subject, inputs)
        change = plan.changes[0] if plan.changes else None
        before = subject.actual
        self.do(subject, change, inputs)
        subject.written = written
        after = subject.actual = self.actual(subject)

        names = HANDLERS[subject.kind].model.input_names()
        differs = {name for name in names if before.get(name) != after.get(name)}
        told = {item.path.partition(".")[0].partition("[")[0] for item in change.fields} if change else set()
        assert told == differs, (subject.kind, written)
        self.hold_values(change, after)
        self.hold_consequences(subject.kind, change, before, after)
        # What was done leaves nothing to do.
        assert self.plan(subject, self.checked(subject, written)).changes == ()
        self.seen.add((subject.kind, change.effect if change else None))

    def checked(self, subject: Subject, written: Mapping[str, Any]) -> dict[str, Any]:
        properties = {name: self.named(value) for name, value in written.items()}
        return self.stage.check(subject.kind, subject.kind, generation=subject.generation, **properties)

    def named(self, value: Any) -> Any:
        ids = [*self.assets.values()]
        return (
            {"one": ids[:1], "both": ids, "none": []}.get(value, value) if isinstance(value, str) else value
        )

    def plan(self, subject: Subject, inputs: Mapping[str, Any]) -> Plan:
        """By the very words of the engine: `same`, `update` or `replace`, as the provider answers it."""
        state = subject.live.state.properties()
        context = self.stage.context(subject.kind, subject.live.state.identity)
        difference = diff(HANDLERS[subject.kind], state, inputs, context)
        op = "replace" if difference.replaces else "update" if difference else "same"
        address = f"urn:pulumi:dev::shop::{TOKEN}:{subject.kind}::{subject.kind}"
        resource = Resource(
            op=op,
            urn=address,
            type=f"{TOKEN}:{subject.kind}",
            id=subject.live.id,
            old=subject.live.state.inputs(),
            state=state,
            new=inputs,
            replaces=difference.replaces,
        )
        return explain(
            Preview({address: resource}), Surroundings(stack="dev", now=self.stage.clock or NOW, salt=b"salt")
        )

    def do(self, subject: Subject, change: ResourceChange | None, inputs: Mapping[str, Any]) -> None:
        handler = HANDLERS[subject.kind]
        if change is None:
            return
        if change.effect is Effect.REPLACE:
            subject.generation += 1
            gone = subject.live
            self.stage.delete(gone)
            identity = f"{subject.kind}-{subject.kind}.{subject.generation}"
            desired = handler.model.parse({**inputs, "identity": identity})
            subject.live = handler.create(desired, self.stage.context(subject.kind, identity))
            assert subject.live.id != gone.id
            return
        assert change.effect is Effect.UPDATE
        context = self.stage.context(subject.kind, subject.live.state.identity)
        updated = handler.update(subject.live, handler.model.parse(inputs), context)
        assert updated.id == subject.live.id
        subject.live = updated

    def actual(self, subject: Subject) -> dict[str, Any]:
        """What a later deployment reads; nothing drifts."""
        seen = self.observer.read(subject.live)
        assert seen is not None
        assert seen.state.inputs() == subject.live.state.inputs()
        subject.live = seen
        found: dict[str, Any] = seen.state.properties()
        if subject.kind == "AttestationPolicy":
            found["file"] = Path(found["path"]).read_bytes()
        return found

    def hold_values(self, change: ResourceChange | None, after: Mapping[str, Any]) -> None:
        for item in change.fields if change else ():
            if isinstance(after.get(item.path), str):
                assert item.new == after[item.path] or "SHA3-256" in (item.new or "")

    def hold_consequences(
        self, kind: str, change: ResourceChange | None, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        """That what is said to follow follows, and nothing follows that is not said."""

        def said(impact: Impact) -> bool:
            return change is not None and change.has(impact)

        if kind == "CertificateBundle":
            issued = before["server_certificate"] != after["server_certificate"]
            assert said(Impact.REPLACED) is said(Impact.FETCH) is issued
        if kind == "AttestationPolicy":
            assert said(Impact.FETCH) is (before["file"] != after["file"] or before["path"] != after["path"])
        if kind == "Computation":
            if before["manifest_sha3_256"] != after["manifest_sha3_256"]:
                assert said(Impact.APPROVAL)
            gained = {*after["result_consumers"]} ^ {*before["result_consumers"]}
            assert said(Impact.ACCESS) is bool(gained)


@pytest.fixture
def observer(stage: Stage) -> Iterator[Stage]:
    """A later deployment in the same workspace."""
    observer = Stage(stage.data, stage.workspace_name, clock=NOW)
    yield observer
    observer.session.close()


def test_what_is_planned_is_what_happens_over_random_edits(
    stage: Stage, observer: Stage, numbers: Path, addition: Path
) -> None:
    stage.clock = NOW
    trial = Trial(stage, observer, random.Random(7))  # noqa: S311  # the same edits each time
    algorithm = stage.algorithm(addition).id
    trial.assets = {
        path.name: stage.dataset(path).id
        for path in (numbers, numbers.with_name("more.txt"))
        if path.write_text("1")
    }
    first: dict[str, dict[str, Any]] = {
        "Asset": {"asset_type": "dataset", "description": "a", "checksum": "aa" * 32, "provider": ADA},
        "Computation": {"name": "sum", "description": "a", "algorithm": algorithm},
        "CertificateBundle": {"key": {"algorithm": "ecdsa"}, "validity": "90d", "renew_before": "10d"},
        "AttestationPolicy": {
            "path": "policies/a.json",
            "expectations": {"rootOfTrust": {"productLine": "Milan"}, "policy": {"policy": "196608"}},
        },
    }
    subjects = [
        Subject(kind, stage.create(kind, kind, **written), written) for kind, written in first.items()
    ]
    for subject in subjects:
        subject.actual = trial.actual(subject)
    for number in range(EDITS):
        trial.edit(subjects[number % len(subjects)])
    # The trial met every answer that a kind can give.
    for kind in POOLS:
        assert {(kind, None), (kind, Effect.UPDATE)} <= trial.seen
    assert ("Asset", Effect.REPLACE) in trial.seen


@pytest.mark.parametrize("has_algorithm", [True, False])
@pytest.mark.parametrize("consumers", [[], [ADA, EVE]])
@pytest.mark.parametrize("with_keys", [frozenset(), frozenset({ADA, GRACE})], ids=len)
def test_what_is_told_to_be_missing_is_what_a_dry_run_reports(
    stage: Stage, addition: Path, consumers: list[str], with_keys: frozenset[str], *, has_algorithm: bool
) -> None:
    algorithm = stage.algorithm(addition)
    written: dict[str, Any] = {"result_consumers": consumers}
    computation = stage.computation(**written, **({"algorithm": algorithm.id} if has_algorithm else {}))
    # Prism takes keys of those alone who have a part in it.
    registered = sorted(with_keys & {*consumers, *([GRACE] if has_algorithm else [])})
    stage.register_keys(computation, *registered)

    def resource(kind: str, name: str, new: Mapping[str, Any], **uses: tuple[str, ...]) -> Resource:
        token = f"{TOKEN}:{kind}"
        return Resource(op="create", urn=f"{token}::{name}", type=token, new=new, uses=uses)

    asset = resource("Asset", "algorithm", algorithm.state.inputs())
    parts = {"algorithm": (asset.urn,)} if has_algorithm else {}
    made = resource("Computation", "sum", computation.state.inputs(), **parts)
    keys = [resource("PublicKey", user, {"user": user}, computation=(made.urn,)) for user in registered]
    preview = Preview({item.urn: item for item in (asset, made, *keys)})
    told = explain(preview, Surroundings(stack="dev", now=NOW, salt=b"salt")).missing

    reported = stage.workspace.computations.dry_run(computation.id)
    lacking = {stage.session.name_of(user) for user in reported.keys}
    assert {item.who for item in told if item.need is Need.KEY} == lacking
    roles = [line for line in reported.info if line.startswith("Nobody ")]
    assert len([item for item in told if item.need is Need.ROLE]) == len(roles)
    assert bool(told) is bool(lacking or roles)
