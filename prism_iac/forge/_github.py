"""Pull requests at GitHub, and the comments of one.

Source: GitHub REST API, version 2022-11-28, "Issue comments" and "Pulls".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prism_iac.forge._comments import Comment
from prism_iac.forge._pull_requests import PullRequest
from prism_iac.forge._rest import NotAllowed, Rest

__all__ = ["HEADERS", "GitHub", "GitHubPullRequests"]

HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}

_GONE: Final = frozenset({404, 410})
_WORKFLOW: Final = "github-actions[bot]"
"""The account of a workflow's own token, which may not ask who it is."""


class GitHub:
    """The comments of one pull request.

    Args:
        rest: The API.
        repository: `owner/name`.
        number: The number of the pull request.
    """

    def __init__(self, rest: Rest, *, repository: str, number: int) -> None:
        self._rest = rest
        self._comments = f"/repos/{repository}/issues/comments"
        self._of_pull_request = f"/repos/{repository}/issues/{number}/comments"

    def own_name(self) -> str:
        """The account of the token."""
        try:
            return self._rest.get("/user", lambda user: str(user["login"]))
        except NotAllowed:
            return _WORKFLOW

    def comments(self) -> Iterator[Comment]:
        """Every comment; that of an account which is gone has no author."""
        return self._rest.pages(
            self._of_pull_request,
            lambda item: Comment(int(item["id"]), (item["user"] or {}).get("login", ""), item["body"] or ""),
        )

    def create(self, body: str) -> None:
        """Add a comment."""
        self._rest.call("POST", self._of_pull_request, body=body)

    def edit(self, number: int, body: str) -> bool:
        """Replace the text of a comment; false where it is gone."""
        reply = self._rest.call("PATCH", f"{self._comments}/{number}", body=body, accept=_GONE)
        return reply.is_success

    def delete(self, number: int) -> None:
        """Take a comment away; one that is gone is fine."""
        self._rest.call("DELETE", f"{self._comments}/{number}", accept=_GONE)


class GitHubPullRequests:
    """The pull requests of one repository.

    Args:
        rest: The API.
        repository: `owner/name`.
    """

    def __init__(self, rest: Rest, *, repository: str) -> None:
        self._rest = rest
        self._pulls = f"/repos/{repository}/pulls"

    def open(self) -> Iterator[PullRequest]:
        """Every open one."""
        return self._rest.pages(
            f"{self._pulls}?state=open", lambda item: PullRequest(int(item["number"]), item["head"]["sha"])
        )

    def is_open(self, number: int) -> bool:
        """Whether a pull request is neither merged nor closed."""
        return self._rest.get(f"{self._pulls}/{number}", lambda item: bool(item["state"] == "open"))
