"""Runs a manager in the foreground until it is asked to end; its VMs live on."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from prism_iac.errors import Conflict
from prism_iac.hypervisor._clock import system_time
from prism_iac.hypervisor._lock import locked_if_free
from prism_iac.hypervisor._manager_protocol import HEALTH_SERVICE
from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.hypervisor.manager._settings import ManagerSettings
from prism_iac.model import address_of

if TYPE_CHECKING:
    import grpc

    from prism_iac.hypervisor.manager._fleet import Fleet

__all__ = ["serve"]

_MOST_CALLS: Final = 32
_LONGEST_WAIT_SECONDS: Final = 3600.0
_SHORTEST_WAIT_SECONDS: Final = 0.1
_GRACE_SECONDS: Final = 5.0


def serve(settings: ManagerSettings, *, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve until SIGTERM or SIGINT. The VMs live on; who serves the folder next takes them over.

    Args:
        settings: How.
        on_ready: Is told the address once clients can connect.

    Raises:
        Conflict: The port is taken, the TLS files are not accepted, or another manager serves the folder.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # A simple queue may be filled by a signal's handler at any moment; an event may not.
    goes_on: SimpleQueue[bool] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: goes_on.put(False))  # noqa: FBT003  # that is what the queue says
    with locked_if_free(settings.data / ".locks" / "manager") as is_mine:
        if not is_mine:
            raise Conflict(
                "another manager serves this folder",
                where=str(settings.data),
                next_step="End it, or name another folder.",
            )
        _run(settings, goes_on, on_ready)


def _run(settings: ManagerSettings, goes_on: SimpleQueue[bool], on_ready: Callable[[str], None]) -> None:
    from prism_iac.hypervisor.manager._fleet import Fleet

    hypervisor = LocalHypervisor(settings.data, host=settings.host)
    fleet = Fleet(hypervisor, settings.data, max_vms=settings.max_vms, now=system_time)
    server, port = _start(settings, fleet, on_change=lambda: goes_on.put(True))  # noqa: FBT003  # as above
    on_ready(address_of(settings.host, port))
    is_over = False
    while not is_over:
        next_end = fleet.remove_expired()
        with suppress(Empty):
            is_over = not goes_on.get(timeout=_seconds_until(next_end))
    server.stop(_GRACE_SECONDS).wait()


def _start(
    settings: ManagerSettings, fleet: Fleet, *, on_change: Callable[[], None]
) -> tuple[grpc.Server, int]:
    import grpc
    from grpc_health.v1 import health_pb2_grpc
    from grpc_health.v1.health import HealthServicer
    from grpc_health.v1.health_pb2 import HealthCheckResponse

    from prism_iac.hypervisor.manager._service import ManagerService
    from prism_iac.wire.manager_pb2_grpc import add_ManagerServiceServicer_to_server

    # Without the option, two processes may listen on one port and neither knows.
    server = grpc.server(ThreadPoolExecutor(_MOST_CALLS), options=(("grpc.so_reuseport", 0),))
    add_ManagerServiceServicer_to_server(
        ManagerService(fleet, vcpus=settings.vcpus, on_change=on_change), server
    )
    health = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    health.set(HEALTH_SERVICE, HealthCheckResponse.SERVING)
    address = address_of(settings.host, settings.port)
    try:
        if settings.certificate is None or settings.key is None:
            port = server.add_insecure_port(address)
        else:
            credentials = grpc.ssl_server_credentials(
                [(settings.key, settings.certificate)],
                root_certificates=settings.client_ca,
                require_client_auth=settings.client_ca is not None,
            )
            port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise Conflict(
            f"the port {address} cannot be opened",
            next_step="Free the address, or check the certificate, its key and the clients' CA.",
        ) from error
    server.start()
    return server, port


def _seconds_until(end: datetime | None) -> float:
    if end is None:
        return _LONGEST_WAIT_SECONDS
    left = (end - system_time()).total_seconds()
    return min(max(left, _SHORTEST_WAIT_SECONDS), _LONGEST_WAIT_SECONDS)
