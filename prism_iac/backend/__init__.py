"""The embedded Prism: REST API, control stream to agents, and store, in one process.

Main entries: `serve` (in the foreground), `start`, `stop` and `status` (in the background). Imports wire,
attestation, pki and model, and nothing above them; only the command line imports this room. Importing it is
cheap: the servers' libraries are imported by the process that serves.
"""

from prism_iac.backend._errors import AlreadyRunning, StartFailure
from prism_iac.backend._instance import Instance, start, status, stop
from prism_iac.backend._leaving import EMPTY_SECONDS
from prism_iac.backend._serve import serve
from prism_iac.backend._settings import ControlTimes, Settings, load_settings

__all__ = [
    "EMPTY_SECONDS",
    "AlreadyRunning",
    "ControlTimes",
    "Instance",
    "Settings",
    "StartFailure",
    "load_settings",
    "serve",
    "start",
    "status",
    "stop",
]
