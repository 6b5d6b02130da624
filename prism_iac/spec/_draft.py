"""A stack as far as it could be read: the entries whose shape is right, for the checks to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Document, Location, Refusal, findings_of, path_text
from prism_iac.model.resources import CertificateSettings
from prism_iac.model.stack import (
    EMBEDDED,
    TABLES,
    AssetEntry,
    ComputationEntry,
    ParticipantEntry,
    PolicyEntry,
    StackFile,
    VmEntry,
    parse_endpoint,
    parse_name,
)
from prism_iac.spec._inputs import Inputs
from prism_iac.spec._tree import Node, Place, place_of, plain, value_at

__all__ = ["Draft", "read_draft"]

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Draft:
    """The well-formed parts of a stack file, and how to speak of their places.

    Attributes:
        root: The document, whole.
        header: The fields that are no table; None where they are not well formed.
        endpoint: Where Prism is; None where that is not well formed.
        inputs: The files that it names.
        now: The time, aware, that certificates are checked at.
    """

    root: Node
    header: StackFile | None
    endpoint: str | None
    participants: Mapping[str, ParticipantEntry]
    assets: Mapping[str, AssetEntry]
    certificates: Mapping[str, CertificateSettings]
    attestation_policies: Mapping[str, PolicyEntry]
    vms: Mapping[str, VmEntry]
    computations: Mapping[str, ComputationEntry]
    inputs: Inputs
    now: datetime

    def place(self, location: Location, *, at_name: bool = False) -> Place:
        """Where a field stands."""
        return place_of(self.root, location, at_name=at_name)

    def finding(self, location: Location, message: str, fix: str, *, at_name: bool = False) -> Finding:
        """Something wrong with a field."""
        file, line, column = self.place(location, at_name=at_name)
        return Finding(file, line, column, path_text(location), message, fix)

    def refused(self, location: Location, refusal: Refusal) -> Finding:
        """A refusal of a field's value."""
        return self.finding(location, refusal.message, refusal.fix)

    def path(self, location: Location, text: str) -> Path:
        """The absolute path that a field means, relative to the file that the field stands in.

        Raises:
            Refusal: It is no path.
        """
        return self.inputs.locate(text, beside=self.place(location).file)


def read_draft(root: Node, *, inputs: Inputs, now: datetime) -> tuple[Draft, list[Finding]]:
    """The well-formed entries of a document, and what is wrong with the shape of the others."""
    reader = _Reader(root)
    draft = Draft(
        root=root,
        header=reader.header(),
        endpoint=_endpoint(root),
        participants=reader.table("participants", ParticipantEntry),
        assets=reader.table("assets", AssetEntry),
        certificates=reader.table("certificates", CertificateSettings),
        attestation_policies=reader.table("attestation_policies", PolicyEntry),
        vms=reader.table("vms", VmEntry),
        computations=reader.table("computations", ComputationEntry),
        inputs=inputs,
        now=now,
    )
    return draft, reader.findings


def _endpoint(root: Node) -> str | None:
    node = value_at(root, ("endpoint",))
    try:
        return parse_endpoint(str(node.value)) if node else EMBEDDED
    except Refusal:
        return None


class _Reader:
    def __init__(self, root: Node) -> None:
        self._root = root
        self.findings: list[Finding] = []

    def header(self) -> StackFile | None:
        fields = self._root.value if isinstance(self._root.value, dict) else {}
        values = {name: plain(entry.node) for name, entry in fields.items() if name not in TABLES}
        return self._validated(StackFile, values, ())

    def table(self, name: str, model: type[D]) -> dict[str, D]:
        node = value_at(self._root, (name,))
        if node is None:
            return {}
        if not isinstance(node.value, dict):
            self._report(
                (name,), "must be a mapping", f"Write `{name}:` with entries below it, or remove it."
            )
            return {}
        entries: dict[str, D] = {}
        for key, entry in node.value.items():
            if entry.node.is_refused:
                continue
            document = self._validated(model, plain(entry.node), (name, key))
            if self._has_name((name, key)) and document is not None:
                entries[key] = document
        return entries

    def _has_name(self, location: tuple[str, str]) -> bool:
        try:
            parse_name(location[1])
        except Refusal as refusal:
            self._report(location, refusal.message, refusal.fix)
            return False
        return True

    def _validated(self, model: type[D], values: object, location: Location) -> D | None:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            found: InvalidInput = findings_of(error, model, within=location, locate=self._locate)
            self.findings += found.findings
            return None

    def _report(self, location: Location, message: str, fix: str) -> None:
        file, line, column = self._locate(location, at_name=True)
        self.findings.append(Finding(file, line, column, path_text(location), message, fix))

    def _locate(self, location: Location, *, at_name: bool) -> Place:
        return place_of(self._root, location, at_name=at_name)
