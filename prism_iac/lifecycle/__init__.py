"""The life of each resource kind: check, diff, create, read, update, delete.

Main entries: `HANDLERS`, `check`, `diff`, `Session`. Handlers know models and peers (`prism`,
`hypervisor`), never the engine: nothing here imports Pulumi.
"""

from prism_iac.lifecycle._context import Context, poll
from prism_iac.lifecycle._handler import Difference, Handler, Live, check, diff
from prism_iac.lifecycle._home import EMBEDDED, Settings
from prism_iac.lifecycle._identity import Generations
from prism_iac.lifecycle._session import Session
from prism_iac.lifecycle.handlers import HANDLERS
from prism_iac.lifecycle.handlers._bundle_steps import renewal_begins

__all__ = [
    "EMBEDDED",
    "HANDLERS",
    "Context",
    "Difference",
    "Generations",
    "Handler",
    "Live",
    "Session",
    "Settings",
    "check",
    "diff",
    "poll",
    "renewal_begins",
]
