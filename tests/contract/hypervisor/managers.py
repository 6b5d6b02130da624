"""A manager of our own as a process, for tests."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prism_iac.hypervisor.local import LocalHypervisor

PATIENCE_SECONDS = 30.0


class OwnManager:
    """`prism-iac manager run` with a data folder; it may be ended, killed and started again."""

    def __init__(self, data: Path, options: Sequence[str] = ()) -> None:
        self.data = data
        self.options = tuple(options)
        self.address = ""
        self.log = data.with_name(f"{data.name}.log")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it takes calls, under its earlier address when it had one."""
        command = [sys.executable, "-m", "prism_iac.cli", "manager", "run", "--data", str(self.data)]
        listen = self.address or "127.0.0.1:0"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--listen", listen, *self.options], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        overdue = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        overdue.start()
        self.address = self._process.stdout.readline().strip()
        overdue.cancel()
        assert self.address, self.log.read_text()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the process; gives its exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.communicate(timeout=PATIENCE_SECONDS)
        return self._process.returncode

    def vms(self) -> list[str]:
        """The ids of its VMs that run."""
        return [vm.id for vm in LocalHypervisor(self.data).list() if vm.running]

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.end()
        hypervisor = LocalHypervisor(self.data, grace_seconds=1)
        for vm in hypervisor.list():
            hypervisor.remove(vm.id)


@contextmanager
def own_manager(data: Path, *options: str) -> Iterator[OwnManager]:
    """A manager that serves; at the end neither it nor a VM of it is left."""
    manager = OwnManager(data, options)
    try:
        manager.start()
        yield manager
    finally:
        manager.close()
