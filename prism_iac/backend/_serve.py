"""Runs an instance in the foreground: wires it together, announces it, and ends it cleanly.

The libraries of the servers are imported here, when the lock is held, and nowhere before.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prism_iac._imports import without
from prism_iac._version import __version__
from prism_iac.backend._clock import utc_now
from prism_iac.backend._errors import StartFailure
from prism_iac.backend._files import write_private
from prism_iac.backend._instance import Instance, announced, held_lock
from prism_iac.backend._leaving import until_idle_and_empty
from prism_iac.backend._logins import LoginBrake, MadePassword, Passwords
from prism_iac.backend._settings import Settings, keep_settings

if TYPE_CHECKING:
    import uvicorn

    from prism_iac.backend._administrator import TokenFile
    from prism_iac.backend._certificates import CertificateOffice
    from prism_iac.backend._services import Services
    from prism_iac.backend.control import ControlServer
    from prism_iac.backend.store import Database

__all__ = ["serve"]

_SECRET_BYTES: Final = 64
_REST_THREADS: Final = 16
_LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "10.0.2.2")
"""The last is how guests on QEMU's user network call this machine."""

_GRACEFUL_SECONDS: Final = 3
_CREDENTIALS: Final = "admin.json"
_SIGNING_KEY: Final = "signing-key"


def serve(settings: Settings, *, on_ready: Callable[[Instance], None] = lambda _: None) -> None:
    """Serve a data folder until SIGTERM or SIGINT, or until nothing is left where the settings say so.

    Args:
        settings: How.
        on_ready: Is told once when both sides answer.

    Raises:
        AlreadyRunning: Another process serves the folder.
        StartFailure: A port is taken, or the database does not answer.
        Conflict: The database was made by a newer version.
    """
    with held_lock(settings.data):
        with without("rich"):
            from prism_iac.backend._logging import configure_logging

        configure_logging()
        passwords = Passwords()
        asyncio.run(_run(settings, passwords, _begin_password(settings.data, passwords), on_ready))


def _begin_password(data: Path, passwords: Passwords) -> Callable[[], MadePassword]:
    """Hash the administrator's first password beside the imports: it is slow by design and holds no lock."""
    if (data / _CREDENTIALS).exists():
        return passwords.make
    beside = ThreadPoolExecutor(max_workers=1)
    password = beside.submit(passwords.make)
    beside.shutdown(wait=False)
    return password.result


async def _run(
    settings: Settings,
    passwords: Passwords,
    make_password: Callable[[], MadePassword],
    on_ready: Callable[[Instance], None],
) -> None:
    from prism_iac.backend._certificates import CertificateOffice
    from prism_iac.backend.control import ControlServer, ControlServices

    database = _open_database(settings)
    office = CertificateOffice(settings.data)
    _prepare_keys(settings, database, office)
    control = ControlServer(ControlServices(database, utc_now, settings.times))
    try:
        control_port = await _start_control(settings, control, office)
        with _bind(settings) as rest_socket:
            settings = replace(settings, rest_port=rest_socket.getsockname()[1], control_port=control_port)
            keep_settings(settings)
            services = _make_services(settings, database, passwords, office, control)
            token_file = _administrators_token(settings, services, make_password)
            await _serve_rest(settings, services, rest_socket, token_file, on_ready)
    finally:
        await control.stop()
        database.close()


def _open_database(settings: Settings) -> Database:
    from sqlalchemy.exc import SQLAlchemyError

    from prism_iac.backend.store import Database, prepare_schema

    try:
        if settings.database_url:
            database = Database(settings.database_url)
        else:
            database = Database.in_folder(settings.data)
        prepare_schema(database)
    except (SQLAlchemyError, ImportError) as error:
        raise StartFailure(
            f"the database cannot be used: {type(error).__name__}",
            where=str(settings.data),
            next_step="Check the URL, that its driver is installed (prism-iac[postgres]), and the server.",
        ) from error
    return database


def _prepare_keys(settings: Settings, database: Database, office: CertificateOffice) -> None:
    from prism_iac.backend._replicas import share_keys

    signing_key = settings.data / _SIGNING_KEY

    def make() -> None:
        office.prepare(now=utc_now())
        if not signing_key.exists():
            write_private(signing_key, secrets.token_bytes(_SECRET_BYTES))

    share_keys(database, settings.data, make)


async def _start_control(settings: Settings, control: ControlServer, office: CertificateOffice) -> int:
    from prism_iac.backend.control import ServerIdentity

    host = settings.control_host or settings.host
    names = dict.fromkeys((*_LOOPBACK_NAMES, host, *settings.control_names))
    issued = office.issue_for_server(list(names), now=utc_now())
    identity = ServerIdentity(issued.certificate_pem, issued.key_pem, client_ca=office.ca_pem)
    try:
        port = await control.start(settings.control_address, identity)
    except RuntimeError as error:
        raise _port_is_taken(settings, host, "control_port", settings.control_port) from error
    try:
        if settings.insecure_address:
            await control.start_insecure(settings.insecure_address)
    except RuntimeError as error:
        raise _port_is_taken(settings, host, "insecure_port", settings.insecure_port) from error
    return port


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named so that asyncio recognises TCP and turns off its delay of small answers.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.rest_port))
    except OSError as error:
        bound.close()
        raise _port_is_taken(settings, settings.host, "rest_port", settings.rest_port) from error
    return bound


def _port_is_taken(settings: Settings, host: str, name: str, port: int) -> StartFailure:
    return StartFailure(
        f"the port {port} of {host} cannot be used",
        where=str(settings.data / "config.json"),
        next_step=f"End what uses it, or write another {name} (0 for any).",
    )


def _make_services(
    settings: Settings,
    database: Database,
    passwords: Passwords,
    office: CertificateOffice,
    control: ControlServer,
) -> Services:
    from prism_iac.backend._services import Services
    from prism_iac.backend._tokens import Tokens

    return Services(
        database=database,
        clock=utc_now,
        tokens=Tokens((settings.data / _SIGNING_KEY).read_bytes(), utc_now),
        passwords=passwords,
        brake=LoginBrake(database),
        certificates=office,
        agents=control,
    )


def _administrators_token(
    settings: Settings, services: Services, make_password: Callable[[], MadePassword]
) -> TokenFile:
    from prism_iac.backend._administrator import TokenFile, ensure_administrator

    user_id = ensure_administrator(
        settings.data / _CREDENTIALS,
        services.database,
        make_password,
        endpoint=_rest_url(settings),
        now=utc_now(),
    )
    return TokenFile(settings.data, services.tokens, user_id)


async def _serve_rest(
    settings: Settings,
    services: Services,
    rest_socket: socket.socket,
    token_file: TokenFile,
    on_ready: Callable[[Instance], None],
) -> None:
    import uvicorn
    from anyio.to_thread import current_default_thread_limiter

    from prism_iac.backend._app import make_app
    from prism_iac.backend._connections import PatientProtocol
    from prism_iac.backend._edge import LARGEST_HEAD_BYTES

    current_default_thread_limiter().total_tokens = _REST_THREADS
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(services),
            http=PatientProtocol,
            h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
            limit_concurrency=PatientProtocol.patience.most_connections,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_GRACEFUL_SECONDS,
        )
    )
    # The server ends by these signals and raises them again after; they must not end the process then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    serving = asyncio.create_task(server.serve(sockets=[rest_socket]))
    await _until_started(server, serving)
    instance = Instance(
        pid=os.getpid(),
        started_at=utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        rest_url=_rest_url(settings),
        control_address=settings.control_address,
        insecure_address=settings.insecure_address,
    )
    with token_file.kept(), announced(settings.data, instance):
        on_ready(instance)
        beside = (
            asyncio.create_task(_leave_when_empty(settings, services.database, server)),
            asyncio.create_task(token_file.renew()),
        )
        await serving
        for task in beside:
            task.cancel()


async def _leave_when_empty(settings: Settings, database: Database, server: uvicorn.Server) -> None:
    from prism_iac.backend.store import DatabaseAway, contents

    def is_empty() -> bool:
        try:
            with database.reading() as session:
                return contents.is_empty(session)
        except DatabaseAway:
            return False

    if settings.empty_seconds is not None:
        await until_idle_and_empty(
            settings.empty_seconds,
            requests=lambda: server.server_state.total_requests,
            is_empty=is_empty,
        )
        server.should_exit = True


async def _until_started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            serving.result()
            raise StartFailure("the REST server ended at its start")
        await asyncio.sleep(0)


def _rest_url(settings: Settings) -> str:
    from prism_iac.model import address_of

    return f"http://{address_of(settings.host, settings.rest_port)}"
