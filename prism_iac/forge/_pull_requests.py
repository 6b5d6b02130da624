"""Which pull request a commit belongs to, as the forge itself says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from prism_iac.errors import Conflict

__all__ = ["PullRequest", "PullRequests", "number_of_head"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """An open pull request.

    Attributes:
        number: Within its project.
        head: The commit at the end of its branch, 40 or 64 hexadecimal characters.
    """

    number: int
    head: str


class PullRequests(Protocol):
    """The pull requests of one project."""

    def open(self) -> Iterator[PullRequest]:
        """Every open one, of every page."""

    def is_open(self, number: int) -> bool:
        """Whether a pull request is neither merged nor closed.

        Raises:
            Conflict: There is none of this number.
        """


def number_of_head(pull_requests: PullRequests, commit: str) -> int:
    """The open pull request whose branch ends in a commit.

    Raises:
        Conflict: There is none, or more than one: nobody can say which of them a job was about.
    """
    found = [item.number for item in pull_requests.open() if item.head == commit]
    match found:
        case [number]:
            return number
        case []:
            raise Conflict(
                f"no open pull request has {commit[:64]} at its head",
                next_step="Nothing is to be done where a later commit has come or the pull request was closed.",
            )
        case _:
            raise Conflict(
                f"{commit[:64]} is the head of more than one pull request: {', '.join(map(str, sorted(found)))}",
                next_step="Say which one with --pull-request, or close the others.",
            )
