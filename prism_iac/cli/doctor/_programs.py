"""Whether the programs are there that a stack update needs."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from typing import Final

from prism_iac.cli._outcome import Outcome, failed, fine
from prism_iac.cli._prism import Prism

__all__ = ["check_language_host", "check_pulumi", "check_python"]

_LEAST_PYTHON: Final = (3, 11)
_LANGUAGE_HOST: Final = "pulumi-language-python"
_OBTAIN: Final = "Run `python -m prism_iac.toolchain`, which obtains what is missing."


def check_python(_prism: Prism) -> Outcome:
    """Whether this Python is new enough."""
    evidence = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < _LEAST_PYTHON:
        return failed(evidence, cause="Python is too old", fix="Use Python 3.11 or newer.")
    return fine(evidence)


def check_pulumi(_prism: Prism) -> Outcome:
    """Whether there is a Pulumi CLI that can run Python programs."""
    from prism_iac.toolchain import find_pulumi

    pulumi = find_pulumi(os.environ)
    if pulumi is None:
        return failed(
            "none on PATH or in the cache",
            cause="there is no Pulumi CLI of a fitting version that can run Python programs",
            fix=_OBTAIN,
        )
    return fine(f"{pulumi.version} at {pulumi.binary}")


def check_language_host(_prism: Prism) -> Outcome:
    """Whether that CLI finds a language host for Python."""
    from prism_iac.toolchain import find_pulumi

    pulumi = find_pulumi(os.environ)
    path = pulumi.path(os.environ.get("PATH", "")) if pulumi else ""
    host = shutil.which(_LANGUAGE_HOST, path=path)
    if pulumi is None or host is None:
        return failed(path, cause=f"{_LANGUAGE_HOST} is not where Pulumi looks for it", fix=_OBTAIN)
    return fine(f"{'that of prism-iac' if pulumi.has_own_host else 'the official one'} at {host}")
