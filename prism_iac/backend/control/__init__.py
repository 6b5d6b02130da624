"""The control stream: agents connect to it, tell what they do, and get their computations.

Main entry: `ControlServer`. Everything that matters is in the database before it is acted on, so that a
restart in the middle of a run goes on from there. Imports the store, never the REST routes.
"""

from prism_iac.backend.control.server import ControlServer, ServerIdentity
from prism_iac.backend.control.services import ControlServices

__all__ = ["ControlServer", "ControlServices", "ServerIdentity"]
