"""`python -m prism_iac.toolchain`: makes sure that the current project has a Pulumi CLI."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from prism_iac.errors import PrismError
from prism_iac.toolchain import ensure_pulumi, prepare_project


def main() -> int:
    """Run the command; gives its exit code."""
    parser = argparse.ArgumentParser(prog="python -m prism_iac.toolchain", description=__doc__)
    parser.add_argument(
        "--project", type=Path, default=Path(), help="the folder of Pulumi.yaml (default: the current one)"
    )
    project: Path = parser.parse_args().project
    try:
        pulumi = ensure_pulumi(report=lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201  # a command
    except PrismError as error:
        print(error, file=sys.stderr)  # noqa: T201  # a command prints
        return 1
    script = prepare_project(project, pulumi)
    print(f"Pulumi {pulumi.version} at {pulumi.binary}; run `. {script}` to use it")  # noqa: T201  # a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
