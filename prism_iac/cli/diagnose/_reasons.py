"""What helps against a failure behind which stands a limit or a usual slip."""

from __future__ import annotations

from typing import Final

__all__ = ["fix_of"]

_FIXES: Final = {
    "the time limit of a run": "Raise `run_time` in the limits of the VM, or give the algorithm less to do.",
    "processes, the limit of a run": "Raise `processes` in the limits of the VM, or start fewer at once.",
    "MemoryError": "Raise `memory_mib` in the limits of the VM, or read the data in pieces.",
    "signal: killed": "It ran out of memory, or was ended from outside: raise `memory_mib` in the limits of the VM.",
    "No space left": "Free room on the disk of the VM, or bring less data.",
    "files in results/": "Leave fewer files in results/, or pack them.",
    "bytes in results/": "Leave less in results/.",
    "no folder results/": "Have the algorithm write into the folder results/.",
    "hash mismatch": "The source has other bytes than its asset says: bring them back, or give their digest.",
    "network's own services": "Name the network in AGENT_SOURCE_NETWORKS where the VM is started.",
    "CERTIFICATE_VERIFY_FAILED": "Name the CA of the store in SSL_CERT_FILE where the VM is started.",
    "failed to retrieve decryption key": "See that the broker is reached, trusts the VM's evidence, and has the key.",
    "failed to download": "See that the source is there, and that the VM reaches it (docs/remote-sources.md).",
    "ModuleNotFoundError": "Name the package in a file, and upload the algorithm with `--requirements FILE`.",
}
"""By words of the agent (its failures, and the last lines of an algorithm of Python)."""


def fix_of(*texts: str) -> str | None:
    """What helps against the first known failure that texts tell of; None where none is known."""
    return next((fix for words, fix in _FIXES.items() if any(words in text for text in texts)), None)
