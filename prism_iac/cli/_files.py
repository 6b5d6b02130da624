"""Files that commands read and write for people; what is written is whole, and never over others unasked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from prism_iac.errors import Conflict, Finding, InvalidInput

__all__ = [
    "PRIVATE",
    "PUBLIC",
    "in_file",
    "read_certificates_pem",
    "read_private_key_pem",
    "read_public_key",
    "require_absent",
    "write_file",
]

PRIVATE: Final = 0o600
"""The mode of a file that its owner alone may read."""

PUBLIC: Final = 0o644
"""The mode of a file that everybody may read."""


def require_absent(*paths: Path) -> None:
    """Refuse to go on where one of the files is there.

    Raises:
        Conflict: One is.
    """
    for path in paths:
        if os.path.lexists(path):
            raise Conflict(
                "the file is there already", where=str(path), next_step="Name another, or say --force."
            )


def write_file(path: Path, content: bytes, *, mode: int, force: bool) -> None:
    """Write a file that appears when it is whole.

    Args:
        path: Where.
        content: What.
        mode: `PRIVATE` or `PUBLIC`.
        force: Replace a file that is there.

    Raises:
        Conflict: One is there, and must not be replaced.
        OSError: The folder cannot be written.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        part.chmod(mode)
        if force:
            part.replace(path)
            return
        # Unlike a rename, a link never replaces what appeared meanwhile.
        path.hardlink_to(part)
    except FileExistsError as error:
        raise Conflict(
            "the file is there already", where=str(path), next_step="Name another, or say --force."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def in_file(findings: Iterable[Finding], file: Path) -> list[Finding]:
    """Findings with the file that they are about, where they do not name one."""
    return [
        finding if finding.file else replace(finding, file=str(file), line=1, column=1)
        for finding in findings
    ]


def read_private_key_pem(path: Path) -> bytes:
    """The content of a file that has a private key in it.

    Raises:
        InvalidInput: There is none that can be read.
        OSError: The file cannot be read.
    """
    from prism_iac.pki import load_private_key

    return _read(path, load_private_key)


def read_certificates_pem(path: Path) -> bytes:
    """The content of a file that has certificates in it.

    Raises:
        InvalidInput: There are none that can be read.
        OSError: The file cannot be read.
    """
    from prism_iac.pki import load_certificates

    return _read(path, load_certificates)


def _read(path: Path, load: Callable[[bytes], object]) -> bytes:
    content = path.read_bytes()
    try:
        load(content)
    except InvalidInput as error:
        raise InvalidInput(in_file(error.findings, path)) from error
    return content


def read_public_key(path: Path) -> str:
    """The public key in a file, in whichever wrapping, as PEM.

    Raises:
        InvalidInput: There is none; least of all a private one.
        OSError: The file cannot be read.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    from prism_iac.pki import parse_public_key

    key = load_der_public_key(parse_public_key(path.read_bytes()))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
