"""Whether the command line, the SDK and the backend fit together."""

from __future__ import annotations

from importlib.metadata import version

from prism_iac.cli._outcome import Outcome, failed, fine
from prism_iac.cli._prism import Prism, the_data_folder

__all__ = ["check_versions", "versions_outcome"]


def check_versions(prism: Prism) -> Outcome:
    """Whether the backend is of the version that the command line is."""
    from prism_iac import __version__
    from prism_iac.backend import status

    running = status(the_data_folder() / "backend") if prism.is_embedded else None
    return versions_outcome(
        __version__, sdk=version("pulumi"), backend=running.version if running is not None else None
    )


def versions_outcome(own: str, *, sdk: str, backend: str | None) -> Outcome:
    """What the versions mean.

    Args:
        own: That of the command line.
        sdk: That of the Pulumi SDK.
        backend: That of the embedded backend; None for another Prism, which does not tell its own.
    """
    evidence = f"prism-iac {own}, Pulumi SDK {sdk}" + (f", backend {backend}" if backend else "")
    if backend is not None and backend != own:
        return failed(
            evidence,
            cause="the backend was started by another version",
            fix="Restart it with `prism-iac backend down` and `prism-iac backend up`.",
        )
    return fine(evidence)
