"""Which forge a job runs at, told by its environment.

Sources: GitHub Actions, "Default environment variables"; GitLab CI/CD, "Predefined variables".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.forge._comments import Forge
from prism_iac.forge._github import HEADERS, GitHub, GitHubPullRequests
from prism_iac.forge._gitlab import GitLab, GitLabMergeRequests
from prism_iac.forge._pull_requests import PullRequests
from prism_iac.forge._rest import Rest

__all__ = ["forge_of", "pull_request_of", "pull_requests_of"]

_PROJECT: Final = "CI_PROJECT_ID"
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
    wanted = number or pull_request_of(variables)
    if _is_gitlab(variables):
        return GitLab(_gitlab(variables), project=_number(variables, _PROJECT), number=wanted)
    return GitHub(_github(variables), repository=_repository(variables), number=wanted)


def pull_requests_of(variables: Mapping[str, str]) -> PullRequests:
    """The pull requests of the project that a job is of.

    Raises:
        InvalidInput: The environment is of no forge, or something is missing in it.
    """
    if _is_gitlab(variables):
        return GitLabMergeRequests(_gitlab(variables), project=_number(variables, _PROJECT))
    return GitHubPullRequests(_github(variables), repository=_repository(variables))


def pull_request_of(variables: Mapping[str, str]) -> int:
    """The number of the pull request that a job is about.

    Raises:
        InvalidInput: It is about none.
    """
    if _is_gitlab(variables):
        return _number(variables, "CI_MERGE_REQUEST_IID")
    found = _PULL_REQUEST.fullmatch(variables.get("GITHUB_REF", ""))
    if not found:
        raise _wrong("GITHUB_REF names no pull request", "Say which one with --pull-request.")
    return int(found[1])


def _is_gitlab(variables: Mapping[str, str]) -> bool:
    return bool(variables.get("GITLAB_CI"))


def _gitlab(variables: Mapping[str, str]) -> Rest:
    secret = _required(variables, "GITLAB_TOKEN")
    return Rest(_required(variables, "CI_API_V4_URL"), headers={"PRIVATE-TOKEN": secret}, secret=secret)


def _github(variables: Mapping[str, str]) -> Rest:
    secret = _required(variables, "GITHUB_TOKEN")
    headers = {**HEADERS, "Authorization": f"Bearer {secret}"}
    return Rest(_required(variables, "GITHUB_API_URL"), headers=headers, secret=secret)


def _repository(variables: Mapping[str, str]) -> str:
    repository = _required(variables, "GITHUB_REPOSITORY")
    if not _REPOSITORY.fullmatch(repository):
        raise _wrong("GITHUB_REPOSITORY is not owner/name", "Run this in a job of GitHub or GitLab.")
    return repository


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
