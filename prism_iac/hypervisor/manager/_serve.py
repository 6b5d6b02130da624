"""Runs a manager in the foreground until it is asked to end; its VMs live on."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
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

_log = logging.getLogger(__name__)

_MOST_CALLS: Final = 32
_LONGEST_WAIT_SECONDS: Final = 3600.0
_SHORTEST_WAIT_SECONDS: Final = 0.1
_GRACE_SECONDS: Final = 5.0
"""How long calls that are at work when the end is asked for may take to answer."""

_LAST_SECONDS: Final = 1.0


def serve(settings: ManagerSettings, *, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve until SIGTERM or SIGINT. The VMs live on; who serves the folder next takes them over.

    Args:
        settings: How.
        on_ready: Is told the address once clients can connect.

    Raises:
        Conflict: The port is taken, the TLS files are not accepted, or another manager serves the folder.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    end = _End()
    with locked_if_free(settings.data / ".locks" / "manager") as is_mine:
        if not is_mine:
            raise Conflict(
                "another manager serves this folder",
                where=str(settings.data),
                next_step="End it, or name another folder.",
            )
        _run(settings, end, on_ready)


class _End:
    """What ends the process: a signal, or a failure of what works beside the calls."""

    def __init__(self) -> None:
        self._asked, self._ask = socket.socketpair()
        self._ask.setblocking(False)  # noqa: FBT003  # what the standard library calls it
        self._failure: BaseException | None = None
        # A signal may come to any thread; a main thread that waits for a lock would not hear of it.
        signal.set_wakeup_fd(self._ask.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def because_of(self, failure: BaseException) -> None:
        self._failure = failure
        self._ask.send(b"\0")

    def wait(self) -> BaseException | None:
        """The failure, or None for a signal."""
        self._asked.recv(1)
        return self._failure


def _run(settings: ManagerSettings, end: _End, on_ready: Callable[[str], None]) -> None:
    from prism_iac.hypervisor.manager._fleet import Fleet

    hypervisor = LocalHypervisor(settings.data, host=settings.host)
    fleet = Fleet(hypervisor, settings.data, max_vms=settings.max_vms, now=system_time)
    calls = ThreadPoolExecutor(_MOST_CALLS)
    changes: SimpleQueue[None] = SimpleQueue()
    server, port = _start(settings, fleet, calls, on_change=lambda: changes.put(None))
    on_ready(address_of(settings.host, port))
    threading.Thread(target=_remove_in_time, args=(fleet, changes, end), daemon=True).start()
    failure = end.wait()
    server.stop(_GRACE_SECONDS).wait(_GRACE_SECONDS + _LAST_SECONDS)
    _leave(calls)
    if failure is not None:
        raise failure


def _remove_in_time(fleet: Fleet, changes: SimpleQueue[None], end: _End) -> None:
    """Remove each VM at its end, for as long as the process lives; a removal must not keep it from ending."""
    try:
        while True:
            next_end = fleet.remove_expired()
            with suppress(Empty):
                changes.get(timeout=_seconds_until(next_end))
    except BaseException as failure:  # noqa: BLE001  # a manager whose VMs never end is none: the process ends with it
        end.because_of(failure)


def _leave(calls: ThreadPoolExecutor) -> None:
    """Wait for calls that are nearly done, and leave the others as a kill would, after which a start finds them.

    The interpreter would wait for their threads: the first VM of a folder has keys made for it, which takes
    seconds, and on a busy machine minutes.
    """
    ending = threading.Thread(target=calls.shutdown, daemon=True)
    ending.start()
    ending.join(_LAST_SECONDS)
    if ending.is_alive():
        _log.warning(
            "calls are cut off in the middle; the next start takes up the VM, or removes what is left"
        )
        logging.shutdown()
        os._exit(0)


def _start(
    settings: ManagerSettings, fleet: Fleet, calls: ThreadPoolExecutor, *, on_change: Callable[[], None]
) -> tuple[grpc.Server, int]:
    import grpc
    from grpc_health.v1 import health_pb2_grpc
    from grpc_health.v1.health import HealthServicer
    from grpc_health.v1.health_pb2 import HealthCheckResponse

    from prism_iac.hypervisor.manager._service import ManagerService
    from prism_iac.wire.manager_pb2_grpc import add_ManagerServiceServicer_to_server

    # Without the option, two processes may listen on one port and neither knows.
    server = grpc.server(calls, options=(("grpc.so_reuseport", 0),))
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
