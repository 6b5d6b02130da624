"""How an instance is set up; what it chose at its first start stays in `config.json` of its data folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from prism_iac._json import load_json
from prism_iac.backend._errors import StartFailure
from prism_iac.backend._files import write_private

__all__ = ["ControlTimes", "Settings", "keep_settings", "load_settings"]

_FILE: Final = "config.json"
_KEPT: Final = (
    "host",
    "rest_port",
    "control_host",
    "control_port",
    "control_names",
    "insecure_port",
    "database_url",
)


@dataclass(frozen=True, slots=True)
class ControlTimes:
    """How long things take on the control stream, in seconds.

    Attributes:
        poll: Between questions for the state while a run goes on.
        quick_poll: The same while something is expected within moments.
        patience: How long an order has to take effect before it is given again.
        offline_grace: How long an agent may be away before its CVM counts as offline.
    """

    poll: float = 2.0
    quick_poll: float = 0.2
    patience: float = 5.0
    offline_grace: float = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How an instance is set up.

    Attributes:
        data: Its folder; one instance at a time serves it.
        host: The address that the ports are bound to.
        rest_port: 0 takes a free one, which is kept for the next start.
        control_host: The address for agents, where it is another; empty for `host`.
        control_port: As `rest_port`, for the control stream.
        control_names: Names and addresses, besides the loopback's, that agents dial.
        insecure_port: Where agents without certificates are let in, in clear and by their word; 0 for nowhere.
        database_url: An SQLAlchemy URL; empty for SQLite in the data folder. May hold a password.
        times: Of the control stream.
        empty_seconds: How long to stay without a request when nothing is left; None stays until it is stopped.
    """

    data: Path
    host: str = "127.0.0.1"
    rest_port: int = 0
    control_host: str = ""
    control_port: int = 0
    control_names: tuple[str, ...] = ()
    insecure_port: int = 0
    database_url: str = field(default="", repr=False)
    times: ControlTimes = field(default_factory=ControlTimes)
    empty_seconds: float | None = None

    @property
    def control_address(self) -> str:
        """Where agents connect."""
        from prism_iac.model import address_of

        return address_of(self.control_host or self.host, self.control_port)

    @property
    def insecure_address(self) -> str:
        """Where agents without certificates do; empty where they do not."""
        from prism_iac.model import address_of

        return address_of(self.control_host or self.host, self.insecure_port) if self.insecure_port else ""


def load_settings(data: Path, *, database_url: str = "") -> Settings:
    """The settings of a data folder: those it kept, with another database where one is given.

    Raises:
        StartFailure: `config.json` cannot be read.
    """
    path = data / _FILE
    settings = Settings(data=data)
    if path.exists():
        settings = _parsed(path, settings)
    return replace(settings, database_url=database_url) if database_url else settings


def keep_settings(settings: Settings) -> None:
    """Keep what the next start needs; agents find the instance at the same place again."""
    kept = {name: value for name, value in asdict(settings).items() if name in _KEPT}
    write_private(settings.data / _FILE, json.dumps(kept, indent=2).encode() + b"\n")


def _parsed(path: Path, settings: Settings) -> Settings:
    try:
        kept: dict[str, Any] = load_json(path.read_bytes())
        return replace(
            settings,
            host=str(kept["host"]),
            rest_port=int(kept["rest_port"]),
            control_host=str(kept.get("control_host", "")),
            control_port=int(kept["control_port"]),
            control_names=tuple(map(str, kept["control_names"])),
            insecure_port=int(kept.get("insecure_port", 0)),
            database_url=str(kept["database_url"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartFailure(
            "the settings cannot be read", where=str(path), next_step="Repair the file, or delete it."
        ) from error
