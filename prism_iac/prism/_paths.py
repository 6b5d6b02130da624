"""Where the services of a Prism lie below its endpoint, and how ids get into a path."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from prism_iac.errors import Finding, InvalidInput

__all__ = ["Paths", "join"]


@dataclass(frozen=True, slots=True)
class Paths:
    """The base path of each service (prism-rest.md section 1.1, D1, D11)."""

    users: str = "/users"
    domains: str = "/auth/domains"
    computations: str = "/computations"
    cvms: str = "/backends"
    certificates: str = "/certs"


def join(base: str, *segments: str) -> str:
    """A path below a base; each segment is quoted, so that an id never reaches another route.

    Raises:
        InvalidInput: A segment is empty, `.` or `..`.
    """
    for segment in segments:
        if segment in ("", ".", ".."):
            raise InvalidInput([Finding(path="id", message=f'"{segment}" is not an id', fix="Give the id.")])
    return "/".join([base.rstrip("/"), *(quote(segment, safe="") for segment in segments)])
