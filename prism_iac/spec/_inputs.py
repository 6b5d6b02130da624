"""The files that a stack file names: found, read once, and told about when they are no good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prism_iac.model import Refusal, shown

__all__ = ["Inputs"]

_LARGEST_KEY_FILE_BYTES: Final = 1 << 20


@dataclass(slots=True)
class Inputs:
    """Finds and reads files, keeping what it read.

    Attributes:
        home: The user's home folder, for paths that begin with `~/`; None where it is not known.
    """

    home: Path | None
    _read: dict[Path, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Inputs:
        """The files as a process with this environment sees them."""
        home = environ.get("HOME")
        return cls(Path(home) if home else None)

    def locate(self, text: str, *, beside: str) -> Path:
        """The absolute path that a text in a stack file means.

        Args:
            text: The path as written: absolute, below `~/`, or relative to the stack file.
            beside: The stack file that it is written in.

        Raises:
            Refusal: It is no path.
        """
        if "-----BEGIN" in text:
            raise Refusal("this is the content of a file, not its path", "Save it in a file, and name that.")
        if "\0" in text:
            raise Refusal("a path has no NUL character in it", "Remove it.")
        if text.startswith("~/"):
            if self.home is None:
                raise Refusal(f"there is no home folder to find {shown(text)} in", "Write the whole path.")
            return (self.home / text[2:]).resolve()
        return (Path(beside).parent / text).resolve()

    def require(self, path: Path, *, as_written: str, or_folder: bool = False) -> None:
        """Check that an input is there.

        Raises:
            Refusal: There is nothing at the path, or something else than a file.
        """
        try:
            if path.is_file() or (or_folder and path.is_dir()):
                return
            problem = (
                "a folder stands" if path.is_dir() else "no file is" if not path.exists() else "a device is"
            )
        except OSError as error:
            raise Refusal(
                f"{shown(as_written)} cannot be read: {error.strerror}", "Check its rights."
            ) from error
        raise Refusal(
            f"{problem} at {shown(as_written)}",
            f"Paths are relative to the stack file; this one means {path}.",
        )

    def read_key_file(self, path: Path, *, as_written: str) -> bytes:
        """The bytes of a key or certificate file.

        Raises:
            Refusal: It is not there, cannot be read, or is larger than 1 MiB.
        """
        if path not in self._read:
            self.require(path, as_written=as_written)
            try:
                if path.stat().st_size > _LARGEST_KEY_FILE_BYTES:
                    raise Refusal(
                        f"{shown(as_written)} is too large for a key or a certificate", "Name another file."
                    )
                self._read[path] = path.read_bytes()
            except OSError as error:
                raise Refusal(
                    f"{shown(as_written)} cannot be read: {error.strerror}", "Check its rights."
                ) from error
        return self._read[path]
