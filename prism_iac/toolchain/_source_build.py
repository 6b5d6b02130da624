"""Obtains the CLI by building it from its public Go module.

`_cli_module/` is a Go module of our own that requires the CLI as a tool. It repeats the one replacement of
the CLI's own module, which `go install` refuses; `go.sum` pins every source that goes into the build.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from prism_iac.toolchain._command import CommandFailed, LongCommand, Report

__all__ = ["GO_NEEDED", "build_from_source"]

_COMMAND: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_VARIABLE: Final = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
_MODULE_FILES: Final = ("go.mod", "go.sum")
_LIMIT_SECONDS: Final = 45 * 60

GO_NEEDED: Final = "Go 1.25.11"


def build_from_source(root: Path, environ: Mapping[str, str], report: Report) -> None:
    """Put the CLI, alone, into `root/bin`.

    Raises:
        CommandFailed: There is no Go, a source cannot be had, or the build fails.
    """
    go = shutil.which("go", path=environ.get("PATH", ""))
    if go is None:
        raise CommandFailed(f"there is no `go` on PATH ({GO_NEEDED} or newer)")
    module = root / "source"
    module.mkdir()
    for name in _MODULE_FILES:
        text = files("prism_iac.toolchain").joinpath("_cli_module", name).read_text(encoding="utf-8")
        (module / name).write_text(text, encoding="utf-8")
    version = _pinned_version((module / "go.mod").read_text(encoding="utf-8"))
    LongCommand(
        title=f"building Pulumi {version} from source, which takes minutes the first time",
        arguments=[
            *(go, "build", "-mod=readonly", "-buildvcs=false"),
            # Without the stamp the CLI says no version, and the Automation API refuses it.
            *("-ldflags", f"-s -w -X {_VERSION_VARIABLE}={version}"),
            *("-o", str(root / "bin" / "pulumi"), _COMMAND),
        ],
        limit_seconds=_LIMIT_SECONDS,
        environ={**environ, "GOWORK": "off"},
        folder=module,
    ).run(report)


def _pinned_version(go_mod: str) -> str:
    found = re.search(r"github\.com/pulumi/pulumi/pkg/v3 (v\S+)", go_mod)
    assert found is not None, "go.mod requires the CLI's module"
    return found[1]
