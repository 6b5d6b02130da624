"""Brings computations in from files and takes them out again.

Main entries: `read_rows` and `write_definitions` for files in every layout of the platform; `Definition` is
the one form in between. Reads and writes files; imports nothing above `lifecycle`, and not Pulumi.
"""

from prism_iac.exchange._definition import (
    AssetDefinition,
    Definition,
    Origin,
    RoleDefinition,
    portable,
)
from prism_iac.exchange._read import read_rows
from prism_iac.exchange._row import Row
from prism_iac.exchange._write import Layout, write_definitions

__all__ = [
    "AssetDefinition",
    "Definition",
    "Layout",
    "Origin",
    "RoleDefinition",
    "Row",
    "portable",
    "read_rows",
    "write_definitions",
]
