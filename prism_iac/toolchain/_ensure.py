"""Finds a Pulumi CLI that can run Python programs, or obtains one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.errors import RemoteFailure
from prism_iac.toolchain._bundle import complete, make_complete
from prism_iac.toolchain._cache import Cache
from prism_iac.toolchain._candidates import Cli, candidates, read_version
from prism_iac.toolchain._command import CommandFailed, Report
from prism_iac.toolchain._official import install_official
from prism_iac.toolchain._pulumi import Pulumi
from prism_iac.toolchain._source_build import GO_NEEDED, build_from_source
from prism_iac.toolchain._version import BELOW, LEAST

__all__ = ["WAYS", "PulumiUnavailable", "Way", "ensure_pulumi", "find_pulumi"]


class PulumiUnavailable(RemoteFailure):
    """No CLI is there and none can be had; the message lists what was tried."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to obtain the CLI.

    Attributes:
        name: What the reader knows it by.
        obtain: Puts the CLI into the folder `bin` of an empty folder; raises `CommandFailed`.
    """

    name: str
    obtain: Callable[[Path, Mapping[str, str], Report], None]


WAYS: Final = (
    Way("the official installer", install_official),
    Way("a build from its public Go module", build_from_source),
)
"""The ways to obtain the CLI, in the order in which they are tried."""


def find_pulumi(environ: Mapping[str, str] = os.environ) -> Pulumi | None:
    """The CLI on PATH or in the cache that can run Python programs; None when there is none.

    Writes nothing and calls nobody.
    """
    cache = Cache.of(environ)
    usable = (complete(cli, cache) for cli in candidates(environ, cache))
    return next(filter(None, usable), None)


def ensure_pulumi(
    environ: Mapping[str, str] = os.environ,
    *,
    report: Report = lambda _: None,
    ways: Sequence[Way] = WAYS,
) -> Pulumi:
    """The CLI on PATH or in the cache that can run Python programs, obtained unless there is one.

    Several processes may ask at once: one obtains it, the others wait for it. An interrupted attempt
    leaves nothing that counts as a CLI.

    Args:
        environ: The environment variables: PATH, and where the cache is.
        report: Takes lines of progress; obtaining takes minutes.
        ways: How to obtain it, tried in order.

    Raises:
        PulumiUnavailable: No way led to a CLI.
    """
    found = find_pulumi(environ)
    if found is not None:
        return found
    cache = Cache.of(environ)
    with cache.locked(on_wait=lambda: report("waiting for another process that obtains Pulumi")):
        cli = next(candidates(environ, cache), None) or _obtain(cache, environ, report, ways)
        return make_complete(cli, cache)


def _obtain(cache: Cache, environ: Mapping[str, str], report: Report, ways: Sequence[Way]) -> Cli:
    tried = [f"PATH and {cache.folder}: no Pulumi of version {LEAST} or newer, below {BELOW}"]
    for way in ways:
        try:
            return _obtain_by(way, cache, environ, report)
        except CommandFailed as failure:
            report(f"{way.name} did not work")
            tried.append(f"{way.name}: {failure}".replace("\n", "\n      "))
    raise PulumiUnavailable(
        "there is no Pulumi CLI and none could be had; tried:\n" + "\n".join(f"    {try_}" for try_ in tried),
        next_step=f"Install Pulumi {LEAST} or newer so that `pulumi version` works, or {GO_NEEDED} or newer "
        "with access to a Go module proxy (GOPROXY), and try again.",
        retry_is_safe=True,
    )


def _obtain_by(way: Way, cache: Cache, environ: Mapping[str, str], report: Report) -> Cli:
    with tempfile.TemporaryDirectory(dir=cache.folder, prefix=".new-") as scratch:
        root = Path(scratch)
        way.obtain(root, environ, report)
        version = read_version(root / "bin" / "pulumi", environ)
        if version is None or not version.serves:
            raise CommandFailed(f"what it left calls itself {version or 'nothing'}")
        folder = cache.version_folder(version)
        folder.mkdir(exist_ok=True)
        (root / "bin").rename(folder / "bin")
    return Cli.at(folder / "bin" / "pulumi", version)
