"""The locks of a stack whose state lies in a folder, and whether who holds one still runs.

Source: pulumi/pulumi: pkg/backend/diy/lock.go.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from prism_iac._json import load_json
from prism_iac.cli._output import printable
from prism_iac.cli._pulumi import CHOOSE_A_STACK, backend_url, project_folder
from prism_iac.errors import Conflict

__all__ = ["Lock", "locks_of", "remove_stale", "require_unlocked", "state_folder"]

_ENGINE: Final = "pulumi"
_PROCESSES: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of a stack.

    Attributes:
        host: The machine whose process holds it.
        since: When it was taken, RFC 3339.
    """

    path: Path
    pid: int
    user: str
    host: str
    since: str

    @property
    def is_stale(self) -> bool:
        """Whether its process was one of this machine and is gone; one of another machine may live."""
        return self.host == socket.gethostname() and not _is_engine(self.pid)

    def __str__(self) -> str:
        """Who holds it."""
        return printable(f"process {self.pid} of {self.user} at {self.host}, since {self.since}")


def state_folder() -> Path | None:
    """The folder in which the engine keeps states; None where it keeps them elsewhere."""
    url = urlsplit(backend_url(CHOOSE_A_STACK))
    if url.scheme != "file":
        return None
    # `file://~` and `file://./state` have the begin of the path where hosts stand.
    return project_folder(Path.cwd(), CHOOSE_A_STACK) / Path(unquote(url.netloc + url.path)).expanduser()


def locks_of(stack: str, *, project: str) -> list[Lock]:
    """The locks of a stack, oldest first; none where states are not kept in a folder.

    Args:
        stack: Its name, without its organization.
        project: The name of the project.
    """
    folder = state_folder()
    if folder is None:
        return []
    place = folder / ".pulumi" / "locks" / "organization" / project / stack
    found = [lock for path in sorted(place.glob("*.json")) if (lock := _read(path)) is not None]
    return sorted(found, key=lambda lock: lock.since)


def require_unlocked(locks: list[Lock]) -> None:
    """Refuse to go on where an update may be going on.

    Raises:
        Conflict: A lock is not stale.
    """
    for lock in locks:
        if not lock.is_stale:
            raise Conflict(
                f"the stack is locked by {lock}",
                where=str(lock.path),
                next_step="Wait for the end of that update. If its machine is gone, run `pulumi cancel`.",
            )


def remove_stale(locks: list[Lock]) -> None:
    """Remove the locks of a stack that all are stale.

    Raises:
        Conflict: One is not.
    """
    require_unlocked(locks)
    for lock in locks:
        lock.path.unlink(missing_ok=True)


def _read(path: Path) -> Lock | None:
    try:
        content: Any = load_json(path.read_bytes())
        return Lock(
            path,
            int(content["pid"]),
            str(content.get("username", "")),
            str(content.get("hostname", "")),
            str(content.get("timestamp", "")),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        # Half written, or of another form: nobody can tell whose it is.
        return Lock(path, 0, "", "", "")


def _is_engine(pid: int) -> bool:
    """Whether a living process of this number may be the engine; a number is given again in time."""
    if not _PROCESSES.joinpath("self", "stat").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    try:
        told = _PROCESSES.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    name, _, rest = told.partition("(")[2].rpartition(")")
    return _ENGINE in name and rest.split()[0] not in ("Z", "X")
