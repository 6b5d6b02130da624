# What the room offers; `__init__.py` reads the names from here.
from ._context import Context, poll
from ._handler import Difference, Handler, Live, check, diff
from ._home import EMBEDDED, Settings
from ._identity import Generations, name_suffix
from ._session import Session
from .handlers import HANDLERS
from .handlers._bundle_steps import Step, due_under_both, renewal_begins
from .handlers._policy_review import trust_changes

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
    "Step",
    "check",
    "diff",
    "due_under_both",
    "name_suffix",
    "poll",
    "renewal_begins",
    "trust_changes",
]
