"""Computations of a workspace, their keys, runs, events and logs (prism-rest.md sections 2.3 and 2.7)."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import ComputationStatus, LogLevel, tls_mode_of
from prism_iac.prism._created import id_of_created
from prism_iac.prism._errors import NotFound
from prism_iac.prism._fields import Fields
from prism_iac.prism._routes import Routes
from prism_iac.prism.records import (
    AgentConfigRecord,
    ComputationRecord,
    DryRun,
    EventRecord,
    LogRecord,
    RunRecord,
    RunStatistic,
    parse_object,
)

__all__ = ["Computations", "Detail"]

Detail: TypeAlias = Literal["agent_config", "manifest", "roles"]
"""What a list can give besides the documented fields."""


@dataclass(frozen=True, slots=True)
class Computations:
    """The computations of one workspace."""

    routes: Routes

    def create(
        self,
        *,
        name: str,
        description: str,
        agent_config: AgentConfigRecord | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Make a computation (C1).

        Args:
            name: For people; the embedded backend keeps it unique.
            description: What it is for.
            agent_config: No TLS and the VM's log level when left out.
            idempotency_key: Lets a repeat find the first computation.

        Returns:
            The id of the computation.

        Raises:
            AlreadyExists: The name is taken, or the key was used for something else.
            InvalidInput: The files of the configuration mean no TLS mode (D28).
        """
        call = self.routes.call(
            "POST", "computations", body=_body(name, description, agent_config or AgentConfigRecord())
        ).creating(idempotency_key)
        hidden = call.hiding(agent_config.server_key) if agent_config else call
        return id_of_created(self.routes.api.send(hidden), lambda: self._newest(name))

    def list(self, *, include: Collection[Detail] = ()) -> Iterator[ComputationRecord]:
        """The computations of the workspace, newest first (C2).

        Args:
            include: What the embedded backend adds to each; elsewhere those fields stay None.
        """
        return self.routes.pages(
            "computations",
            ComputationRecord.parse,
            "computations",
            query={"include": ",".join(sorted(include)) or None},
            identity=lambda computation: computation.id,
        )

    def get(self, computation_id: str, *, peek: bool = False) -> ComputationRecord:
        """One computation (C3).

        Args:
            computation_id: Its id.
            peek: Ask for what a list shows, which every member of the workspace may see (D15).

        Raises:
            NotFound: There is none.
        """
        query = {"peek": "true"} if peek else None
        return self.routes.get(ComputationRecord.parse, "computations", computation_id, query=query)

    def update(
        self,
        computation_id: str,
        *,
        name: str,
        description: str,
        agent_config: AgentConfigRecord | None = None,
    ) -> None:
        """Replace what a computation says; without `agent_config` that stays as it is (C4, D16).

        Raises:
            ApiConflict: The configuration of the agent is frozen during a run, or the name is taken.
            InvalidInput: The files of the configuration mean no TLS mode (D28).
        """
        body = _body(name, description, agent_config)
        call = self.routes.call("PUT", "computations", computation_id, body=body)
        self.routes.api.send(call.hiding(agent_config.server_key) if agent_config else call)

    def delete(self, computation_id: str) -> None:
        """Remove a computation with its runs, keys and links; one that is gone already is fine (C5, D17).

        Raises:
            ApiConflict: It is running.
        """
        with suppress(NotFound):
            self.routes.api.send(self.routes.call("DELETE", "computations", computation_id))

    def run(self, computation_id: str, cvm_id: str, *, idempotency_key: str | None = None) -> str:
        """Start a run on a VM (C6, D18); without a key it is sent once and never again.

        Returns:
            The id of the run.

        Raises:
            ApiConflict: The VM is not ready.
            Rejected: Something is missing for a run; `dry_run` says what.
        """
        call = self.routes.call("POST", "computations", computation_id, "run", query={"cvm": cvm_id})
        return self.routes.api.fetch(call.keyed(idempotency_key), _parse_run_id)

    def latest_run(self, computation_id: str) -> RunRecord | None:
        """The newest run of a computation; None before the first (C7, D19).

        Prism tells an unknown computation apart from one without runs in its message alone.
        """
        try:
            return self.routes.get(RunRecord.parse, "computations", computation_id, "run")
        except NotFound:
            return None

    def runs(
        self, *, computation_id: str | None = None, status: ComputationStatus | None = None
    ) -> Iterator[RunRecord]:
        """The runs of the workspace, newest first (C8, D19)."""
        return self.routes.pages(
            "runs",
            RunRecord.parse,
            "computations",
            "runs",
            query={"computation_id": computation_id, "status": status},
            identity=lambda run: run.id,
        )

    def statistics(self, *, days: int | None = None) -> tuple[RunStatistic, ...]:
        """How many computations had which status on which day (C9, D24)."""
        return self.routes.get(
            lambda document: Fields(document, "statistics").items(RunStatistic.parse, "comp_stats"),
            "computations",
            "statistics",
            query={"days": days},
        )

    def upload_key(self, computation_id: str, public_key_pem: str) -> None:
        """Register the caller's public key; a new one replaces the old (C10, D22).

        Raises:
            Rejected: It is no PKIX public key that Prism takes.
        """
        key = base64.b64encode(public_key_pem.encode()).decode("ascii")
        call = self.routes.call("POST", "computations", computation_id, "key", body={"key": key})
        self.routes.api.send(call.harmless_twice())

    def has_key(self, computation_id: str) -> bool:
        """Whether the caller's public key is registered (C11, D23)."""
        try:
            return self.routes.get(_parse_key_check, "computations", computation_id, "key")
        except NotFound:
            return False

    def dry_run(self, computation_id: str) -> DryRun:
        """What is missing for a run; changes nothing (C12, D21)."""
        call = self.routes.call("POST", "computations", computation_id, "dryrun")
        return self.routes.api.fetch(call.harmless_twice(), DryRun.parse)

    def stop(self, computation_id: str) -> None:
        """Stop the run that is going on; sent once and never again (C13, D20).

        Raises:
            ApiConflict: Nothing runs.
        """
        self.routes.api.send(self.routes.call("GET", "computations", computation_id, "stop").once())

    def manifest(self, computation_id: str) -> Mapping[str, Any]:
        """The runtime manifest as JSON; before a run, its preview (C14, D26).

        Raises:
            Rejected: The algorithm is missing.
        """
        return self.routes.get(parse_object, "computations", computation_id, "manifest")

    def events(
        self,
        computation_id: str,
        *,
        run_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        status: str | None = None,
    ) -> Iterator[EventRecord]:
        """The steps of the runs, newest first (E1, D56)."""
        return self.routes.pages(
            "events",
            EventRecord.parse,
            "computations",
            computation_id,
            "events",
            query={"run_id": run_id, "from": since, "to": until, "status": status},
            identity=lambda event: event.id,
        )

    def latest_event(self, computation_id: str) -> EventRecord | None:
        """The newest step; None before the first run (E2)."""
        try:
            return self.routes.get(EventRecord.parse, "computations", computation_id, "status")
        except NotFound:
            return None

    def logs(
        self,
        computation_id: str,
        *,
        run_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        level: LogLevel | None = None,
        message: str | None = None,
    ) -> Iterator[LogRecord]:
        """What the agent logged, newest first; equal entries come once (L1, D56).

        Args:
            computation_id: Whose.
            run_id: Of this run only.
            since: The earliest moment.
            until: The latest moment.
            level: Of exactly this level.
            message: With this text in it.
        """
        filters = {"run_id": run_id, "from": since, "to": until, "level": level, "message": message}
        return self.routes.pages(
            "logs", LogRecord.parse, "computations", computation_id, "logs", query=filters
        )

    def _newest(self, name: str) -> str | None:
        """The id of the youngest computation of a name."""
        found = [computation for computation in self.list() if computation.name == name]
        return max(found, key=_age).id if found else None


def _age(record: ComputationRecord) -> float:
    return record.created_at.timestamp() if record.created_at else 0.0


def _body(name: str, description: str, agent_config: AgentConfigRecord | None) -> dict[str, Any]:
    body: dict[str, Any] = {"name": name, "description": description}
    if agent_config is not None:
        if tls_mode_of(agent_config.files, attested=agent_config.attested_tls) is None:
            raise _no_tls_mode(agent_config)
        body["agent_config"] = agent_config.to_json()
    return body


def _no_tls_mode(config: AgentConfigRecord) -> InvalidInput:
    present = ", ".join(config.files) or "no files"
    return InvalidInput(
        [
            Finding(
                path="agent_config",
                message=f"{present} with attested_tls {str(config.attested_tls).lower()} is no TLS mode",
                fix="Give the files of one mode: none, tls, mtls, atls or matls.",
            )
        ]
    )


def _parse_run_id(document: object) -> str:
    """The id of a run from a bare JSON string or from an object (D18)."""
    wrapped = {"id": document} if isinstance(document, str) else document
    return Fields(wrapped, "a run reply").identity("run_id", "id")


def _parse_key_check(document: object) -> bool:
    """Whether a key is there, from an object or a bare boolean (D23)."""
    return Fields({"uploaded": document} if isinstance(document, bool) else document, "a key check").flag(
        "uploaded"
    )
