"""The folders of a computation, and how nothing of it stays behind.

Source: cocos-grpc.md section 2.5: `algo`, `datasets/` and `results/` lie in the algorithm's working directory.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["Workspace"]


class Workspace:
    """Where one computation at a time has its files.

    Attributes:
        folder: The algorithm's working directory; a folder of its own, so that it can be removed as a whole.
        incoming: Uploads that are not whole yet; on the same file system as their places, and beside the
            folder, because they may come while it is being removed.
        archive: The result, outside of what the algorithm writes to.

    Args:
        parent: The agent's working directory.
        state_folder: Survives a crash of the agent.
    """

    def __init__(self, parent: Path, state_folder: Path) -> None:
        self.folder = parent / "computation"
        self.algorithm = self.folder / "algo"
        self.requirements = self.folder / "requirements.txt"
        self.datasets = self.folder / "datasets"
        self.results = self.folder / "results"
        self.incoming = parent / "incoming"
        self.home = self.folder / "home"
        self.temporary = self.folder / "tmp"
        self.environment = self.folder / "venv"
        self.archive = state_folder / "result.zip"
        self._mark = state_folder / "computation"

    def prepare(self) -> None:
        """Make empty folders, whatever an earlier computation left.

        Raises:
            OSError: A folder cannot be cleared or made.
        """
        self.clear()
        self.folder.mkdir(mode=0o700)
        for folder in (self.datasets, self.results, self.incoming, self.home, self.temporary):
            folder.mkdir(mode=0o700)

    def clear_folder(self) -> None:
        """Remove what the algorithm had and made; the result stays.

        Raises:
            OSError: Something cannot be removed.
        """
        _remove(self.folder)

    def clear(self) -> None:
        """Remove everything; nobody may be uploading.

        Raises:
            OSError: Something cannot be removed.
        """
        self.clear_folder()
        _remove(self.incoming)
        _remove(self.archive)

    def mark(self, computation_id: str) -> None:
        """Note on disk that a computation is under way, for the case that the agent crashes."""
        self._mark.write_text(computation_id, encoding="utf-8")

    def unmark(self) -> None:
        """Take the note back."""
        self._mark.unlink(missing_ok=True)

    def interrupted_computation(self) -> str | None:
        """The id of the computation that an earlier process did not bring to its end."""
        try:
            return self._mark.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    # An algorithm may have taken away its own rights to a folder.
    path.chmod(0o700)
    for parent, folders, _ in os.walk(path):
        for name in folders:
            folder = Path(parent, name)
            if not folder.is_symlink():
                folder.chmod(0o700)
    shutil.rmtree(path)
