"""The store: every table, every query, and nothing else of the backend knows SQL.

One module for each kind of thing, its mapped class and its queries together; `database` opens and
`schema` makes or upgrades. Imports nothing of the backend's other parts.
"""

from prism_iac.backend.store import (
    admission,
    assets,
    certificates,
    computations,
    contents,
    cvms,
    events,
    idempotency,
    instance_keys,
    invitations,
    keys,
    logins,
    notices,
    roles,
    runs,
    users,
    workspaces,
)
from prism_iac.backend.store.base import Base, DatabaseAway, Duplicate, new_id
from prism_iac.backend.store.database import Database, hold
from prism_iac.backend.store.paging import Page, Slice
from prism_iac.backend.store.schema import SCHEMA_REVISION, prepare_schema

__all__ = [
    "SCHEMA_REVISION",
    "Base",
    "Database",
    "DatabaseAway",
    "Duplicate",
    "Page",
    "Slice",
    "admission",
    "assets",
    "certificates",
    "computations",
    "contents",
    "cvms",
    "events",
    "hold",
    "idempotency",
    "instance_keys",
    "invitations",
    "keys",
    "logins",
    "new_id",
    "notices",
    "prepare_schema",
    "roles",
    "runs",
    "users",
    "workspaces",
]
