"""One workspace: its collections, bound to its id."""

from __future__ import annotations

from dataclasses import dataclass

from prism_iac.prism._api import Api
from prism_iac.prism._assets import Assets
from prism_iac.prism._certificates import Certificates
from prism_iac.prism._computations import Computations
from prism_iac.prism._cvms import Cvms
from prism_iac.prism._paths import Paths, join
from prism_iac.prism._roles import Roles
from prism_iac.prism._routes import Routes

__all__ = ["Workspace"]


@dataclass(frozen=True, slots=True)
class Workspace:
    """What lies in one workspace, as one user sees it; making one calls nothing."""

    api: Api
    paths: Paths
    id: str

    @property
    def computations(self) -> Computations:
        """Its computations, their runs, events and logs."""
        return Computations(self._routes(self.paths.computations))

    @property
    def roles(self) -> Roles:
        """The roles of a computation; its id comes first in every call (D53)."""
        service = join(self.paths.computations, self.id, "computations")
        return Roles(Routes(self.api, service, self._query))

    @property
    def assets(self) -> Assets:
        """Its assets."""
        return Assets(self._routes(self.paths.computations))

    @property
    def cvms(self) -> Cvms:
        """Its confidential VMs."""
        return Cvms(self._routes(self.paths.cvms))

    @property
    def certificates(self) -> Certificates:
        """The certificates of its VMs."""
        return Certificates(self._routes(self.paths.certificates), Routes(self.api, self.paths.certificates))

    @property
    def _query(self) -> dict[str, str]:
        return {"domainID": self.id}

    def _routes(self, service: str) -> Routes:
        return Routes(self.api, join(service, self.id), self._query)
