"""What Prism would refuse a run for, told from what is declared: its dry run, before anything is made.

Source: prism-rest.md section 4.3, D21 and D28. What participants bring to Prism by themselves is not declared, so
a missing key says who has to have one there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from prism_iac.model import REQUIRED_TLS_FIELDS, TlsMode, contains_unknown
from prism_iac.plan._graph import Graph, said
from prism_iac.plan._plan import Missing, Need
from prism_iac.plan._preview import Resource

__all__ = ["missing_items"]

_ROLES: Final = (
    ("algorithm", "Nobody provides the algorithm.", "Name an asset as its algorithm."),
    ("result_consumers", "Nobody consumes the result.", "Name its result consumers."),
)


def missing_items(graph: Graph) -> Iterator[Missing]:
    """What the computations of a preview lack, in their order."""
    for resource in graph.preview.resources.values():
        if resource.kind == "Computation" and resource.new is not None:
            yield from _roles(resource)
            yield from _hashes(resource, graph)
            yield from _keys(resource, graph)
            yield from _files(resource)


def _roles(computation: Resource) -> Iterator[Missing]:
    for field, message, next_step in _ROLES:
        if not said(computation, field):
            yield Missing(need=Need.ROLE, computation=computation.name, message=message, next_step=next_step)


def _hashes(computation: Resource, graph: Graph) -> Iterator[Missing]:
    for asset in graph.assets_of(computation):
        if said(asset, "checksum") is None:
            yield Missing(
                need=Need.HASH,
                computation=computation.name,
                message=f"The asset {asset.name} has no checksum.",
                who=said(asset, "provider") or "",
                next_step="Give its file, or its SHA3-256 as checksum.",
            )


def _keys(computation: Resource, graph: Graph) -> Iterator[Missing]:
    keys = [
        said(key, "user")
        for key in graph.users_of(computation, "PublicKey", "computation")
        if key.new is not None
    ]
    for user in graph.participants_of(computation):
        if user not in keys and not contains_unknown(keys):
            yield Missing(
                need=Need.KEY,
                computation=computation.name,
                message=f"No public key of {user} is declared.",
                who=user,
                next_step="Declare public_key, or let them register one at Prism before the run.",
            )


def _files(computation: Resource) -> Iterator[Missing]:
    agent: dict[str, Any] = said(computation, "agent") or {}
    mode = agent.get("tls")
    if not isinstance(mode, str) or mode not in set(TlsMode):
        return
    for field in sorted(REQUIRED_TLS_FIELDS[TlsMode(mode)]):
        if agent.get(field) is None:
            yield Missing(
                need=Need.FILE,
                computation=computation.name,
                message=f"The TLS mode {mode} needs {field}.",
                next_step="Name a certificate bundle, or the PEM file.",
            )
