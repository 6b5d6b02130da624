"""The way into the REST API of one Prism, as one user."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from prism_iac._imports import without
from prism_iac.prism._api import Api
from prism_iac.prism._credentials import Credentials
from prism_iac.prism._domains import Domains
from prism_iac.prism._endpoint import parse_endpoint
from prism_iac.prism._exchange import Exchange
from prism_iac.prism._limits import Limits
from prism_iac.prism._paths import Paths
from prism_iac.prism._routes import Routes
from prism_iac.prism._users import Users
from prism_iac.prism._workspace import Workspace

if TYPE_CHECKING:
    import httpx

__all__ = ["PrismClient"]

_DOCUMENTED_PATHS: Final = Paths()
_USUAL_LIMITS: Final = Limits()


class PrismClient:
    """One user at one Prism: one connection pool, one login; safe for use from many threads.

    Nothing is called before it is asked for. A context manager; close it otherwise.

    Args:
        endpoint: The base URL; https, or http on this machine.
        credentials: Who calls.
        ca_file: The trust anchors, PEM; the usual ones when left out.
        honours_keys: This Prism recognises a repeated create by its idempotency key, as the embedded backend
            does. Where it does not, a create whose fate is not known is never sent again.
        paths: Where the services lie below the endpoint.
        limits: How long to wait and how much to take.
        transport: Stands in for the network.
        clock: Seconds that never go back.
        sleep: Waits for a number of seconds.
        jitter: Gives a number of [0, 1).

    Raises:
        InvalidInput: The endpoint, the CA file or the environment's proxy cannot be used.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: Credentials,
        *,
        ca_file: Path | None = None,
        honours_keys: bool = True,
        paths: Paths = _DOCUMENTED_PATHS,
        limits: Limits = _USUAL_LIMITS,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        with without("httpx._main"):
            from prism_iac.prism._wire import Wire

        self._wire = Wire(parse_endpoint(endpoint), limits=limits, ca_file=ca_file, transport=transport)
        self._paths = paths
        exchange = Exchange(self._wire, limits, clock, sleep, jitter)
        self._api = Api(exchange, credentials, users_path=paths.users, keeps_keys=honours_keys)

    @property
    def endpoint(self) -> str:
        """The base URL, without a slash at its end."""
        return self._api.endpoint

    @property
    def users(self) -> Users:
        """The users of this Prism."""
        return Users(Routes(self._api, self._paths.users))

    @property
    def domains(self) -> Domains:
        """The workspaces of this user."""
        return Domains(Routes(self._api, self._paths.domains))

    def workspace(self, domain_id: str) -> Workspace:
        """What lies in one workspace."""
        return Workspace(self._api, self._paths, domain_id)

    def close(self) -> None:
        """Close every connection; the client is of no use afterwards."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
