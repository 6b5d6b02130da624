"""Whether the data of the embedded backend is kept as it must be, and its ports can be used."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import closing
from pathlib import Path
from typing import Final

from prism_iac.cli._outcome import Outcome, failed, fine, skipped
from prism_iac.cli._prism import Prism, the_data_folder

__all__ = ["check_data_folder", "check_ports"]

_PRIVATE: Final = ("backend", "vms", "platform", "state", "passphrase")
"""What only its owner may look into, in the data folder: keys, passwords, secrets of stacks."""

_PATIENCE_SECONDS: Final = 2.0


def check_data_folder(prism: Prism) -> Outcome:
    """Whether nobody else can read what is secret."""
    if not prism.is_embedded:
        return skipped("Prism is not on this machine")
    data = the_data_folder()
    if not data.exists():
        return skipped(f"{data} is made at the first start")
    open_to_others = [path for name in _PRIVATE if (path := data / name).exists() and _is_open(path)]
    if open_to_others:
        paths = " ".join(map(str, open_to_others))
        return failed(
            paths,
            cause="other users of this machine can read what is secret",
            fix=f"Run `chmod go= {paths}`.",
        )
    return fine(str(data))


def _is_open(path: Path) -> bool:
    facts = path.stat()
    return bool(facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO)) or facts.st_uid != os.geteuid()


def check_ports(prism: Prism) -> Outcome:
    """Whether the ports of the embedded backend answer, or are free for its start."""
    from prism_iac.backend import load_settings, status

    if not prism.is_embedded:
        return skipped("Prism is not on this machine")
    folder = the_data_folder() / "backend"
    settings, running = load_settings(folder), status(folder)
    ports = (settings.rest_port, settings.control_port)
    if not all(ports):
        return fine("free ones are taken at the first start")
    evidence = f"{ports[0]} (REST) and {ports[1]} (control stream) of {settings.host}"
    for port in ports:
        if running is not None and not _answers(settings.host, port):
            return failed(
                evidence,
                cause=f"nobody answers at the port {port}",
                fix="Restart it with `prism-iac backend down` and `prism-iac backend up`.",
            )
        if running is None and not _is_free(settings.host, port):
            return failed(
                evidence,
                cause=f"another program uses the port {port}",
                fix=f"End it, or write 0 for the port in {folder / 'config.json'}.",
            )
    return fine(evidence)


def _answers(host: str, port: int) -> bool:
    try:
        with closing(socket.create_connection((host, port), timeout=_PATIENCE_SECONDS)):
            return True
    except OSError:
        return False


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
