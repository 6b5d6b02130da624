"""Brings computations in from files and takes them out again.

Main entries: `read_rows` and `write_definitions` for files in every layout of the platform, `Import` and
`export_definitions` for a workspace; `Definition` is the one form in between. Reads and writes files; imports
nothing above `lifecycle`, and not Pulumi. Names are imported when they are first used: the command line's
help asks for the layouts alone.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
