"""A Pulumi CLI that can run Python programs, and the environment it wants."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prism_iac.toolchain._version import Version

__all__ = ["Pulumi"]


@dataclass(frozen=True, slots=True)
class Pulumi:
    """A Pulumi CLI with everything it needs to run Python programs with dynamic resources.

    Attributes:
        binary: The CLI itself, absolute.
        version: Its version.
        bin_folders: What belongs first on PATH, so that it finds its plugins without a warning.
        has_own_host: The official language host or launcher of dynamic resources is absent, and
            ours stands in.
    """

    binary: Path
    version: Version
    bin_folders: tuple[Path, ...]
    has_own_host: bool

    def settings(self, project: Path) -> dict[str, str]:
        """The variables for a project that keeps its passphrase in `.prism`, without PATH.

        Its state is kept there too unless Pulumi.yaml names a backend, which a variable would override.
        """
        folder = project.absolute() / ".prism"
        settings = {
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        if not _names_backend(project):
            settings["PULUMI_BACKEND_URL"] = f"file://{folder / 'state'}"
        if self.has_own_host:
            # Whoever had to make do without the official bundle cannot download plugins either; without
            # this each run tries for seconds.
            settings["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        return settings

    def path(self, inherited: str) -> str:
        """PATH with this interpreter's folder and the CLI's folders before what is inherited."""
        folders = (Path(sys.executable).parent, *self.bin_folders)
        return os.pathsep.join([*map(str, folders), *([inherited] if inherited else [])])

    def environment(self, project: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """A whole environment to run the CLI in for a project; variables already set win, except PATH."""
        return {**self.settings(project), **environ, "PATH": self.path(environ.get("PATH", ""))}


def _names_backend(project: Path) -> bool:
    """Whether Pulumi.yaml says where the state is kept; what is wrong with that file is the CLI's to say."""
    import yaml

    try:
        document = yaml.safe_load((project / "Pulumi.yaml").read_bytes())
    except (OSError, yaml.YAMLError):
        return False
    match document:
        case {"backend": {"url": str(url)}}:
            return bool(url)
    return False
