"""What the resources of one deployment share in the plugin process."""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol

from prism_iac._json import load_json
from prism_iac.errors import Conflict, Finding, InvalidInput
from prism_iac.lifecycle import EMBEDDED, Context, Generations, Session, Settings
from prism_iac.model import CONFIGURATION
from prism_iac.prism import Credentials, PasswordCredentials, TokenCredentials, data_folder

__all__ = [
    "Config",
    "Deployment",
    "deployment_for",
    "deployment_of",
    "end_with_engine",
    "interrupted",
]


class Config(Protocol):
    """The configuration that the engine hands to a provider."""

    def get(self, key: str) -> Any:
        """The value of a key with its namespace; None when it is not set."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: its session with Prism and what it has made so far."""

    session: Session
    report: Callable[[str, str], None]
    """Shows one line of progress of the resource with a logical name."""
    pause: Callable[[float], None]
    """Waits for a number of seconds; raises when the update ends meanwhile."""
    generations: Generations = field(default_factory=Generations)
    made: set[str] = field(default_factory=set)
    """The ids that creates of this deployment returned."""

    def begin_change(self) -> None:
        """From here on peers are changed, and the embedded backend may be started.

        Raises:
            Conflict: The clock shows another time, which only a preview may ask for.
        """
        if os.environ.get(_CLOCK):
            raise Conflict(
                f"{_CLOCK} is set, and an update happens now",
                next_step="Unset it; `prism-iac plan --at DATE` shows a day ahead.",
            )
        self.session.allow_start()

    def context(self, name: str, identity: str) -> Context:
        """The surroundings of one call for the resource with this logical name."""
        return Context(
            name=name,
            identity=identity,
            session=self.session,
            default_workspace=self.session.settings.workspace,
            now=_now,
            pause=self.pause,
            report=lambda line: self.report(name, line),
        )


_CLOCK: Final = "PRISM_IAC_AT"
"""The variable that a preview of another day sets: a time, RFC 3339."""


def _now() -> datetime:
    asked = os.environ.get(_CLOCK)
    return datetime.fromisoformat(asked).astimezone(UTC) if asked else datetime.now(UTC)


_deployments: dict[str, Deployment] = {}
_lock = threading.Lock()


def _print(name: str, line: str) -> None:
    print(f"{name}: {line}", flush=True)  # noqa: T201  # the engine shows what a plugin prints


def _pause(seconds: float) -> None:
    # The second interrupt ends the plugin's main thread; waiting on would only delay its end.
    if not threading.main_thread().is_alive():
        raise interrupted()
    time.sleep(seconds)


def interrupted() -> Conflict:
    """What ends a wait when the engine ends the update."""
    return Conflict("the stack update was interrupted", next_step="Run it again: it goes on from here.")


def deployment_for(
    config: Config,
    *,
    report: Callable[[str, str], None] = _print,
    pause: Callable[[float], None] = _pause,
) -> Deployment:
    """The deployment for a configuration; the same one for every kind of resource.

    Raises:
        InvalidInput: The configuration is not usable.
    """
    values = _values(config)
    key = json.dumps(values, sort_keys=True)
    with _lock:
        if key not in _deployments:
            end_with_engine()
            _deployments[key] = Deployment(Session(_settings(values)), report, pause)
        return _deployments[key]


def deployment_of(config: Config, *, report: Callable[[str, str], None]) -> Deployment:
    """A deployment of its own outside the engine; the caller closes its session.

    Raises:
        InvalidInput: The configuration is not usable.
    """
    return Deployment(Session(_settings(_values(config))), report, time.sleep)


def _values(config: Config) -> dict[str, str]:
    return {key: value for key in CONFIGURATION if (value := config.get(f"prism:{key}")) not in (None, "")}


def _settings(values: Mapping[str, str]) -> Settings:
    endpoint = values.get("endpoint", EMBEDDED)
    credentials = _credentials(values, "prism")
    if endpoint != EMBEDDED and credentials is None:
        raise InvalidInput(
            [
                Finding(
                    path="prism:token",
                    message=f"no credentials are configured for {endpoint}",
                    fix="Run `pulumi config set --secret prism:token ...`, or set prism:username and prism:password.",
                )
            ]
        )
    folder = values.get("dataFolder")
    return Settings(
        endpoint=endpoint,
        data=Path(folder).absolute() if folder else data_folder(Path.cwd(), os.environ),
        credentials=credentials,
        participants=_participants(values.get("participants", "{}")),
        workspace=values.get("workspace"),
        control_address=values.get("controlAddress"),
        manager_key=values.get("managerKey"),
    )


def _credentials(values: Mapping[str, str], path: str) -> Credentials | None:
    if token := values.get("token"):
        return TokenCredentials(token)
    if username := values.get("username"):
        if password := values.get("password"):
            return PasswordCredentials(username, password)
        raise InvalidInput(
            [Finding(path=f"{path}:password", message=f"no password is configured for {username}")]
        )
    return None


def _participants(text: str) -> dict[str, Credentials]:
    try:
        users = load_json(text)
        return {
            str(user).lower(): found
            for user, values in users.items()
            if (found := _credentials({"username": user, **values}, f"prism:participants.{user}"))
        }
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidInput(
            [
                Finding(
                    path="prism:participants",
                    message="must be a JSON object of users with a token or a password each",
                    fix='Write {"ada@example.com": {"password": "..."}} and set it with --secret.',
                )
            ]
        ) from error


@cache
def end_with_engine() -> None:
    """From here on this process ends when the engine is gone.

    The engine reads the plugin's standard output through a pipe. Killed, it does not end a plugin, but the pipe
    loses its reader.
    """
    threading.Thread(target=_await_end_of_engine, daemon=True).start()


def _await_end_of_engine() -> NoReturn:
    engine = select.poll()
    engine.register(sys.stdout.fileno(), 0)
    engine.poll()
    os._exit(1)
