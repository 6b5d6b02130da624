"""Computations that are brought in from files, and backups of a workspace."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from prism_iac.errors import Finding, InvalidInput
from prism_iac.exchange import (
    ArchiveReader,
    ArchiveWriter,
    AssetDefinition,
    Definition,
    Layout,
    Origin,
    RoleDefinition,
    read_rows,
    write_definitions,
)
from prism_iac.exchange._bundle import asset_json, bundle_json
from prism_iac.exchange._parts import parts_of
from prism_iac.model import Action, AssetKind, LogLevel
from prism_iac.prism import AgentConfigRecord
from tests.fuzz.target import Target, reads_file, scratch

__all__ = ["TARGETS"]

_PEM = "-----BEGIN CERTIFICATE-----\nTWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcms=\n-----END CERTIFICATE-----\n"
_PUBLIC_KEY = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
_MOMENT = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)


def _rows(layout: Layout) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        """What is accepted is written in a layout, and what was written once stays as it is."""
        found: list[Definition] = []
        findings: list[Finding] = []
        for row in read_rows(path):
            findings += row.errors
            if row.definition is not None:
                found.append(row.definition)
        canonical = _written(found, layout)
        again = path.with_name("again")
        again.write_bytes(canonical)
        rows = list(read_rows(again))
        assert [finding for row in rows for finding in (*row.errors, *row.warnings)] == []
        assert _written([row.definition for row in rows if row.definition is not None], layout) == canonical
        if findings:
            raise InvalidInput(findings)

    return read


def _written(found: list[Definition], layout: Layout) -> bytes:
    file = io.StringIO(newline="")
    write_definitions(found, layout, file, with_keys=True)
    return file.getvalue().encode()


def _backup(path: Path) -> None:
    with ArchiveReader(path) as archive:
        parts_of(archive)


def _definitions() -> list[Definition]:
    return [
        Definition.of(
            name=name,
            description='Adds "numbers", and more',
            agent=agent,
            roles=[
                RoleDefinition("consumers", (Action.RESULT_CONSUMER,), ("ada@example.com",)),
                RoleDefinition("viewers", (Action.VIEW,), ("grace@example.com",)),
            ],
            assets=[
                AssetDefinition(
                    f"0000000{number}-23aa-4d83-8a36-5f1f4c0e2d90",
                    kind=kind,
                    user="ada@example.com",
                    checksum="5f" * 32,
                    file_name=f"file {number}",
                    description="d",
                    sample=b"1\n",
                    created_at=_MOMENT,
                    linked=True,
                )
                for number, kind in enumerate((AssetKind.ALGORITHM, AssetKind.DATASET))
            ],
            origin=Origin(start_time=_MOMENT, end_time=None, created_at=_MOMENT),
        )
        for name, agent in {
            "sum": AgentConfigRecord(log_level=LogLevel.INFO),
            "secured": AgentConfigRecord(cert_file=_PEM, server_key=_PEM),
        }.items()
    ]


def _files(layout: Layout) -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        yield _written(_definitions(), layout)
        yield _written(_definitions()[:1], layout)

    return seeds


def _backups() -> Iterator[bytes]:
    path = scratch() / "backup.zip"
    writer = ArchiveWriter(path)
    (definition, _) = _definitions()
    parts = {
        "members": [{"id": "1", "email": "ada@example.com", "username": "ada"}],
        "roles": [{"role_name": "admins", "actions": ["edit"], "members": ["1"]}],
        "computations": [bundle_json(definition, with_keys=True)],
        "assets": [asset_json(asset) for asset in definition.assets],
        "keys": [{"computation": "sum", "user": "1", "public_key": _PUBLIC_KEY}],
    }
    for name, part in parts.items():
        writer.add_json(f"{name}.json", part)
    writer.close()
    yield path.read_bytes()


TARGETS = (
    *(
        Target(f"import-{layout}", reads_file(f"computations.{layout}", _rows(layout)), _files(layout))
        for layout in (Layout.BUNDLE, Layout.FLAT, Layout.CSV)
    ),
    Target("backup", reads_file("backup.zip", _backup), _backups),
)
