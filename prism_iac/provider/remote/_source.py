"""What a host gets of the files that a program names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pulumi import Input

from prism_iac._version import __version__
from prism_iac.errors import Finding, InvalidInput

__all__ = ["Source", "read_pem", "read_source"]

_ARCHIVES = (".whl", ".tar.gz")
_VERSION_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Source:
    """A manager to install.

    Attributes:
        kind: `package` for ours, `binary` for that of Cocos.
        version: Follows from all that an installation depends on: content, and interpreter.
        python: The interpreter of the host; ours only.
        requirement: What pip installs from an index; empty where there is a file.
        file: What is copied to the host.
    """

    kind: str
    version: str
    python: str
    requirement: str = ""
    file: Path | None = None

    @property
    def upload(self) -> str:
        """Where the file goes, in the folder of the manager."""
        assert self.file is not None
        # pip reads the name of a wheel.
        return f"uploads/{self.version}/{self.file.name}"

    @property
    def argument(self) -> str:
        """What the script installs."""
        return self.upload if self.file else self.requirement


def read_source(package: str | None, binary: str | None, *, python: str) -> Source:
    """The manager that a program names.

    Args:
        package: A wheel or sdist, or a requirement; this version of ours when both are left out.
        binary: The manager of Cocos, a file.
        python: The interpreter of the host.

    Raises:
        InvalidInput: Both are named, or a file cannot be read.
    """
    if package is not None and binary is not None:
        raise InvalidInput(
            [Finding(path="binary", message="two managers are named", fix="Name a package or a binary.")]
        )
    if binary is not None:
        return _from_file("binary", Path(binary), field="binary", python="")
    wanted = package or f"prism-iac=={__version__}"
    if wanted.endswith(_ARCHIVES):
        return _from_file("package", Path(wanted), field="package", python=python)
    return Source("package", _version("package", python, wanted.encode()), python, requirement=wanted)


def read_pem(files: Mapping[str, Input[str]]) -> Mapping[str, Input[str]]:
    """The same, with the content of the files that are named by a path.

    Raises:
        InvalidInput: Files cannot be read.
    """
    findings: list[Finding] = []
    contents: dict[str, Input[str]] = {}
    for field, given in files.items():
        contents[field] = given
        if isinstance(given, str) and "-----BEGIN" not in given:
            try:
                contents[field] = Path(given).read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError) as error:
                findings.append(_unreadable(f"tls.{field}", given, error))
    if findings:
        raise InvalidInput(findings)
    return contents


def _from_file(kind: str, file: Path, *, field: str, python: str) -> Source:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput([_unreadable(field, str(file), error)]) from error
    return Source(kind, _version(kind, python, content), python, file=file)


def _unreadable(field: str, path: str, error: OSError | UnicodeDecodeError) -> Finding:
    reason = error.strerror if isinstance(error, OSError) else "it is no PEM"
    return Finding(path=field, message=f"{path!r} cannot be read: {reason}", fix="Name a file that exists.")


def _version(kind: str, python: str, content: bytes) -> str:
    digest = hashlib.sha3_256(f"{kind}\0{python}\0".encode() + content)
    return digest.hexdigest()[:_VERSION_LENGTH]
