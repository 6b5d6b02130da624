"""Keeps a process, and all that it starts, to the files it needs; standard library only.

The kernel does it (Landlock, landlock(7)): what is not granted here is denied, to root too, and cannot be
taken back. Processes outside cannot be signalled (Landlock 6) nor looked into with ptrace(2), which guards the
environment, memory and open files in /proc as well. Networks and the sockets of other programs stay reachable,
names and command lines of other processes can be read, and so can the facts of every file (stat(2)).
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["confine"]

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_TELL_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITIES: Final = 64  # as many as the kernel's set has room for
_NO_CAPABILITIES: Final = (ctypes.c_uint32 * 6)()
_CAPABILITY_HEADER: Final = (ctypes.c_uint32 * 2)(0x20080522, 0)  # capset(2), version 3, this process

# linux/landlock.h, LANDLOCK_ACCESS_FS_*: the first version has bits 0 to 12.
_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_REMOVE_FILE: Final = 1 << 5
_MAKE_REG: Final = 1 << 8
_FIRST: Final = (1 << 13) - 1
_REFER: Final = 1 << 13
_TRUNCATE: Final = 1 << 14
_ADDED: Final = {2: _REFER, 3: _TRUNCATE}
"""What later versions of Landlock govern besides."""

_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
"""The rights that mean something for what is no folder; others make the kernel refuse the rule."""

_READ: Final = _EXECUTE | _READ_FILE | _READ_DIR
_WRITE: Final = _WRITE_FILE | _TRUNCATE

_SCOPES_SINCE: Final = 6
_SCOPES: Final = 0b11  # abstract sockets and signals

_SYSTEM: Final = {
    **dict.fromkeys(
        ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/proc", "/sys"), _READ
    ),
    **dict.fromkeys(
        (
            *("/etc/alternatives", "/etc/ca-certificates", "/etc/group", "/etc/hosts", "/etc/ld.so.cache"),
            *("/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/mime.types"),
            *("/etc/nsswitch.conf", "/etc/passwd", "/etc/pki/tls/certs", "/etc/resolv.conf"),
            *("/etc/ssl/certs", "/etc/ssl/openssl.cnf"),
            # Which system this is, as pip asks for.
            *("/etc/debian_version", "/etc/lsb-release", "/etc/os-release", "/etc/redhat-release"),
        ),
        _READ,
    ),
    **dict.fromkeys(("/dev/null", "/dev/zero", "/dev/full"), _READ_FILE | _WRITE),
    **dict.fromkeys(("/dev/random", "/dev/urandom"), _READ_FILE),
    # Semaphores of Python's multiprocessing; those of others cannot be listed.
    "/dev/shm": _READ_FILE | _WRITE | _MAKE_REG | _REMOVE_FILE,  # noqa: S108  # not a place for our files
}
"""What every program may need. No other device: /dev/sev-guest gives evidence in the name of this VM."""


def confine(*, readable: Sequence[str], writable: str) -> bool:
    """Confine this process for good; False where the kernel cannot, and nothing has changed then.

    Args:
        readable: Files and folders to read and execute besides the system's; what is absent is passed over.
        writable: The folder in which everything is allowed.

    Raises:
        OSError: The kernel knows Landlock and refuses all the same.
    """
    kernel = ctypes.CDLL(None, use_errno=True)
    version: int = kernel.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _TELL_VERSION)
    if version < 1:
        return False
    governed = _FIRST
    for since, right in _ADDED.items():
        governed |= right if version >= since else 0
    # struct landlock_ruleset_attr: rights on files, on networks, scopes; shorter in the first versions.
    numbers = [governed, 0, _SCOPES] if version >= _SCOPES_SINCE else [governed]
    attributes = (ctypes.c_uint64 * len(numbers))(*numbers)
    rules = _checked(
        kernel.syscall(_CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(8 * len(numbers)), 0)
    )
    try:
        granted = {**_SYSTEM, **dict.fromkeys(readable, _READ), writable: _FIRST | _REFER | _TRUNCATE}
        for path, rights in granted.items():
            _grant(kernel, rules, path, rights & governed)
        _drop_capabilities(kernel)
        _checked(kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(kernel.syscall(_RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)
    return True


def _drop_capabilities(kernel: ctypes.CDLL) -> None:
    """Leave root no more than its files: CAP_PERFMON, for one, opens the environment of other processes."""
    for number in range(_CAPABILITIES):
        kernel.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)  # refused to whoever has none to drop
    _checked(kernel.capset(_CAPABILITY_HEADER, _NO_CAPABILITIES))


def _grant(kernel: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112  # the path is a text here
            rights &= _OF_FILES
        # struct landlock_path_beneath_attr is packed: the rights, then the descriptor.
        rule = rights.to_bytes(8, sys.byteorder) + place.to_bytes(4, sys.byteorder)
        _checked(kernel.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0))
    finally:
        os.close(place)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the algorithm cannot be confined: {os.strerror(number)}")
    return result
