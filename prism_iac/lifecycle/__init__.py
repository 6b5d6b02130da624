"""The life of each resource kind: check, diff, create, read, update, delete.

Main entries: `HANDLERS`, `check`, `diff`, `Session`. Handlers know models and peers (`prism`,
`hypervisor`), never the engine: nothing here imports Pulumi. Names are imported when they are
first used: a plugin serves some kinds, not all.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
