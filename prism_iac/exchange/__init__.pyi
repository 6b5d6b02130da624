# What the room offers; `__init__.py` reads the names from here.
from ._access import Access
from ._adopt import Engine, LiveObjects, Planned, adopt, mark_adopted
from ._archive import ArchiveReader, ArchiveWriter
from ._backup import back_up
from ._collected import Collected
from ._definition import (
    AssetDefinition,
    Definition,
    Origin,
    RoleDefinition,
    portable,
)
from ._export import export_definitions
from ._import import Import, Outcome, Review
from ._layouts import Layout
from ._read import read_rows
from ._restore import Restored, restore
from ._row import Row
from ._stack import PemFile, StackText, stack_file
from ._write import write_definitions

__all__ = [
    "Access",
    "ArchiveReader",
    "ArchiveWriter",
    "AssetDefinition",
    "Collected",
    "Definition",
    "Engine",
    "Import",
    "Layout",
    "LiveObjects",
    "Origin",
    "Outcome",
    "PemFile",
    "Planned",
    "Restored",
    "Review",
    "RoleDefinition",
    "Row",
    "StackText",
    "adopt",
    "back_up",
    "export_definitions",
    "mark_adopted",
    "portable",
    "read_rows",
    "restore",
    "stack_file",
    "write_definitions",
]
