"""The smallest engine: it runs declared resources through the handlers, without any face."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prism_iac.errors import PartialResult
from prism_iac.lifecycle import EMBEDDED, HANDLERS, Context, Live, Session, Settings, check, diff
from prism_iac.model import UNKNOWN
from tests.engine.faces.cases import Declared, Ref, in_order

__all__ = ["ByHandlers"]


@dataclass
class ByHandlers:
    """A stack whose state is in memory.

    Attributes:
        state: The kind, inputs and object of each resource by logical name, in the order of their making.
        unfinished: The resources whose last create or update failed after something was made.
    """

    data: Path
    workspace: str
    state: dict[str, tuple[str, dict[str, Any], Live[Any]]] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)
    generations: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._session = self._connect()

    def up(self, declared: Declared) -> dict[str, str]:
        """Bring the stack to what is declared; gives what was done, by logical name.

        Raises:
            PrismError: A handler's.
        """
        self._begin()
        changes: dict[str, str] = {}
        for name in in_order(declared):
            kind, inputs = declared[name]
            wanted = self._check(name, kind, inputs)
            op = self._op(name, kind, wanted)
            if op:
                changes[name] = op
                self._do(op, name, kind, inputs)
        for name in [name for name in reversed(self.state) if name not in declared]:
            self._delete(name)
            changes[name] = "delete"
        return changes

    def refresh(self) -> dict[str, str]:
        """Read everything; gives what differs from the state, by logical name."""
        self._begin()
        found: dict[str, str] = {}
        for name, (kind, inputs, live) in list(self.state.items()):
            actual = HANDLERS[kind].read(live, self._context(name, inputs["identity"]))
            if actual is None:
                del self.state[name]
                found[name] = "delete"
            else:
                if actual.state.inputs() != inputs:
                    found[name] = "update"
                self.state[name] = (kind, actual.state.inputs(), actual)
        return found

    def close(self) -> None:
        """End the connections."""
        self._session.close()

    def _begin(self) -> None:
        self._session.close()
        self._session = self._connect()

    def _connect(self) -> Session:
        session = Session(Settings(endpoint=EMBEDDED, data=self.data, workspace=self.workspace))
        session.allow_start()
        return session

    def _op(self, name: str, kind: str, wanted: dict[str, Any]) -> str | None:
        if name not in self.state:
            return "create"
        _, _, live = self.state[name]
        found = diff(HANDLERS[kind], live.state.properties(), wanted, self._context(name, wanted["identity"]))
        if found.replaces:
            return "replace"
        return "update" if found or name in self.unfinished else None

    def _do(self, op: str, name: str, kind: str, inputs: Mapping[str, Any]) -> None:
        if op == "replace":
            self._delete(name)
            self.generations[name] = self.generations.get(name, 0) + 1
        checked = self._check(name, kind, inputs)
        handler, context = HANDLERS[kind], self._context(name, checked["identity"])
        desired = handler.model.parse(checked)
        try:
            if name in self.state:
                live = handler.update(self.state[name][2], desired, context)
            else:
                live = handler.create(desired, context)
        except PartialResult as error:
            self.state[name] = (kind, checked, Live(error.id, handler.model.parse(error.state)))
            self.unfinished.add(name)
            raise
        self.unfinished.discard(name)
        self.state[name] = (kind, checked, live)

    def _delete(self, name: str) -> None:
        kind, inputs, live = self.state.pop(name)
        HANDLERS[kind].delete(live, self._context(name, inputs["identity"]))

    def _check(self, name: str, kind: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        identity = f"{name}.{self.generations.get(name, 0)}"
        recorded = self.state[name][1] if name in self.state else None
        return check(HANDLERS[kind], self._resolved(inputs), self._context(name, identity), recorded=recorded)

    def _resolved(self, value: Any) -> Any:
        match value:
            case Ref(name, output):
                if name not in self.state:
                    return UNKNOWN
                _, _, live = self.state[name]
                return live.id if output == "id" else live.state.properties().get(output)
            case list():
                return [self._resolved(item) for item in value]
            case dict():
                return {key: self._resolved(item) for key, item in value.items()}
            case _:
                return value

    def _context(self, name: str, identity: str) -> Context:
        return Context(
            name=name,
            identity=identity,
            session=self._session,
            default_workspace=self.workspace,
            now=lambda: datetime.now(UTC),
            pause=time.sleep,
            report=lambda _: None,
        )
