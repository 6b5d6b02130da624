"""Which forge a job runs at, told by its environment.

Sources: GitHub Actions, "Default environment variables"; GitLab CI/CD, "Predefined variables".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.forge._comments import Forge
from prism_iac.forge._github import HEADERS, GitHub
from prism_iac.forge._gitlab import GitLab
from prism_iac.forge._rest import Rest

__all__ = ["forge_of"]

_PULL_REQUEST: Final = re.compile(r"refs/pull/([1-9]\d*)/(merge|head)")
_REPOSITORY: Final = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_NUMBER: Final = re.compile(r"[1-9]\d*", re.ASCII)


def forge_of(variables: Mapping[str, str], *, number: int | None = None) -> Forge:
    """The comments of the pull request that a job is about.

    Args:
        variables: The environment.
        number: The pull request; the one of the environment when left out.

    Raises:
        InvalidInput: The environment is of no forge, or something is missing in it.
    """
    if variables.get("GITLAB_CI"):
        wanted = number or _number(variables, "CI_MERGE_REQUEST_IID")
        secret = _required(variables, "GITLAB_TOKEN")
        rest = Rest(_required(variables, "CI_API_V4_URL"), headers={"PRIVATE-TOKEN": secret}, secret=secret)
        return GitLab(rest, project=_number(variables, "CI_PROJECT_ID"), number=wanted)
    repository = _required(variables, "GITHUB_REPOSITORY")
    if not _REPOSITORY.fullmatch(repository):
        raise _wrong("GITHUB_REPOSITORY is not owner/name", "Run this in a job of GitHub or GitLab.")
    secret = _required(variables, "GITHUB_TOKEN")
    rest = Rest(
        _required(variables, "GITHUB_API_URL"),
        headers={**HEADERS, "Authorization": f"Bearer {secret}"},
        secret=secret,
    )
    return GitHub(rest, repository=repository, number=number or _of_reference(variables))


def _of_reference(variables: Mapping[str, str]) -> int:
    found = _PULL_REQUEST.fullmatch(variables.get("GITHUB_REF", ""))
    if not found:
        raise _wrong("GITHUB_REF names no pull request", "Say which one with --pull-request.")
    return int(found[1])


def _number(variables: Mapping[str, str], name: str) -> int:
    text = _required(variables, name)
    if not _NUMBER.fullmatch(text):
        raise _wrong(f"{name} is no number", "Run this in a pipeline of a merge request.")
    return int(text)


def _required(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "").strip()
    if not value:
        raise _wrong(f"{name} is not set", "Run this in a job of GitHub or GitLab, and hand the token to it.")
    return value


def _wrong(message: str, fix: str) -> InvalidInput:
    return InvalidInput([Finding(message=message, fix=fix)])
