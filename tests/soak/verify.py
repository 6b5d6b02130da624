"""What a backend holds at the end, beside what it acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, NamedTuple

from prism_iac.model import COMPUTATION_ROLES
from tests.soak.client import Client
from tests.soak.journal import Fields, Thing

PAGE = 100


class Difference(NamedTuple):
    """Writes that were acknowledged and are not there, things that were not, and other values than those."""

    lost: list[Thing]
    surplus: list[Thing]
    changed: list[Thing]


async def kept(client: Client, workspaces: Iterable[str]) -> list[tuple[Thing, Fields]]:
    """Everything in some workspaces, as lists show it to the platform administrator."""
    found: list[tuple[Thing, Fields]] = []
    for workspace in workspaces:
        root = f"/computations/{workspace}"
        for kind, path, items, name in (
            ("computation", f"{root}/computations?include=roles&", "computations", "id"),
            ("asset", f"{root}/assets?", "assets", "id"),
            ("run", f"{root}/computations/runs?", "runs", "id"),
            ("certificate", f"/certs/{workspace}/certs?", "certificates", "serial_number"),
        ):
            found += [
                (Thing(kind, workspace, item[name]), _fields(item))
                async for item in _all(client, path, items)
            ]
    return found


def compare(expected: Mapping[Thing, Fields], found: Iterable[tuple[Thing, Fields]]) -> Difference:
    """What differs; a thing that is there twice is one too many."""
    left = dict(expected)
    surplus, changed = [], []
    for thing, fields in found:
        wanted = left.pop(thing, None)
        if wanted is None:
            surplus.append(thing)
        elif any(fields.get(name) != value for name, value in wanted.items()):
            changed.append(thing)
    return Difference(sorted(left), sorted(surplus), sorted(changed))


def _fields(item: Mapping[str, Any]) -> Fields:
    fields = dict(item)
    if "roles" in item:
        held = {action for role in item["roles"] for action in role["actions"]}
        fields["parts"] = sorted(held - COMPUTATION_ROLES["owner"])
    elif "computations" in item:
        fields["computations"] = sorted(item["computations"])
    return fields


async def _all(client: Client, path: str, items: str) -> AsyncIterator[dict[str, Any]]:
    offset, total = 0, 1
    while offset < total:
        page = await client.call("verify", "GET", f"{path}limit={PAGE}&offset={offset}")
        total, offset = page["total"], offset + PAGE
        for item in page[items]:
            yield item
