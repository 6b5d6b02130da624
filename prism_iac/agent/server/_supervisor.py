"""Runs one command and leaves nothing of it behind; a program of its own, standard library only.

Started by path, with an order (JSON) as its argument and the agent's end of a pipe as standard input. The
command's processes end when the first of three things happens: the command itself ends, the pipe closes
(the agent asks for it, or is dead), or there are more processes than the order allows. They are all found,
also those that left the process group, because the supervisor adopts every orphan below it
(prctl(2), PR_SET_CHILD_SUBREAPER). The command sees the files that the order names and no others, where the
kernel can do that (`_confinement`, which is found beside this file). How it ended goes as JSON to the file descriptor `report` of the order.

Memory is limited per process by RLIMIT_DATA, which unlike RLIMIT_AS does not count reserved address space,
of which WebAssembly and Go take much. Processes are counted twice a second: RLIMIT_NPROC counts all of a
user's processes, also those of other VMs, and not at all for root.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import runpy
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_LOOK_EVERY_MILLISECONDS: Final = 500
_END_WITHIN_SECONDS: Final = 5.0
_STDIN: Final = 0
_NO_SUCH_COMMAND: Final = 127
_CONFINED: Final = b"confined"


def main() -> int:
    """Carry the order out and report."""
    order = json.loads(sys.argv[1])
    os.set_inheritable(order["report"], False)  # noqa: FBT003  # the function takes no keyword
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, _leave)
    try:
        outcome = _run(order)
    finally:
        _end_descendants()
    os.write(order["report"], json.dumps(outcome).encode())
    return 0


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    sys.exit(1)


def _run(order: dict[str, Any]) -> dict[str, Any]:
    # Started by path, this program imports nothing of the package.
    confine = runpy.run_path(str(Path(__file__).with_name("_confinement.py")))["confine"]
    errors_read, errors_write = os.pipe()
    child = os.fork()
    if child == 0:
        _become(order, errors_write, confine)
    os.close(errors_write)
    with os.fdopen(errors_read, "rb") as errors:
        mark, _, problem = errors.read().partition(b"\n")
    if problem:
        return {"not_started": problem.decode()}
    poll = select.poll()
    handle = os.pidfd_open(child)
    poll.register(handle, select.POLLIN)
    poll.register(_STDIN, select.POLLIN | select.POLLHUP)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(_LOOK_EVERY_MILLISECONDS)}
        if handle in ready:
            _, status = os.waitpid(child, 0)
            return _ending(status) | {"confined": mark == _CONFINED}
        if _STDIN in ready:
            return {"stopped": True}
        if order["processes"] and sum(_descendants().values()) > order["processes"]:
            return {"too_many_processes": order["processes"]}


def _become(order: dict[str, Any], errors: int, confine: Callable[..., bool]) -> NoReturn:
    try:
        os.setpgid(0, 0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, _STDIN)
        if confine(readable=order["readable"], writable=order["writable"]):
            os.write(errors, _CONFINED)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if order["memory_bytes"]:
            resource.setrlimit(resource.RLIMIT_DATA, (order["memory_bytes"],) * 2)
        os.execvpe(order["command"][0], order["command"], os.environ)  # noqa: S606  # running it is the purpose
    except OSError as error:
        os.write(errors, b"\n" + (error.strerror or str(error)).encode())
    finally:
        os._exit(_NO_SUCH_COMMAND)


def _ending(status: int) -> dict[str, Any]:
    code = os.waitstatus_to_exitcode(status)
    return {"exit": code} if code >= 0 else {"signal": -code}


def _descendants() -> dict[int, int]:
    """Every living process below this one, and its number of threads."""
    children: dict[int, list[tuple[int, int]]] = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            text = Path(entry.path, "stat").read_bytes()
        except OSError:
            continue  # it has ended meanwhile
        # proc(5): the name in parentheses may hold anything; state, parent, ..., threads (field 20) follow.
        fields = text[text.rindex(b")") + 2 :].split()
        if fields[0] != b"Z":
            children.setdefault(int(fields[1]), []).append((int(entry.name), int(fields[17])))
    found: dict[int, int] = {}
    parents = [os.getpid()]
    while parents:
        for process, threads in children.get(parents.pop(), ()):
            found[process] = threads
            parents.append(process)
    return found


def _end_descendants() -> None:
    deadline = time.monotonic() + _END_WITHIN_SECONDS
    while time.monotonic() < deadline:
        for process in _descendants():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


if __name__ == "__main__":
    sys.exit(main())
