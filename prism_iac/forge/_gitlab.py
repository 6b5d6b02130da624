"""Merge requests at GitLab, and the notes of one.

Source: GitLab REST API, version 4, "Notes", section "Merge requests", and "Merge requests".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prism_iac.forge._comments import Comment
from prism_iac.forge._pull_requests import PullRequest
from prism_iac.forge._rest import Rest

__all__ = ["GitLab", "GitLabMergeRequests"]

_GONE: Final = frozenset({404})
_ENDED: Final = frozenset({"closed", "merged"})
"""What is neither is open, or `locked` while it is merged."""


class GitLab:
    """The notes of one merge request.

    Args:
        rest: The API.
        project: The id of the project.
        number: The number of the merge request within it.
    """

    def __init__(self, rest: Rest, *, project: int, number: int) -> None:
        self._rest = rest
        self._notes = f"/projects/{project}/merge_requests/{number}/notes"

    def own_name(self) -> str:
        """The account of the token."""
        return self._rest.get("/user", lambda user: str(user["username"]))

    def comments(self) -> Iterator[Comment]:
        """Every note."""
        return self._rest.pages(
            self._notes, lambda item: Comment(int(item["id"]), item["author"]["username"], item["body"])
        )

    def create(self, body: str) -> None:
        """Add a note."""
        self._rest.call("POST", self._notes, body=body)

    def edit(self, number: int, body: str) -> bool:
        """Replace the text of a note; false where it is gone."""
        return self._rest.call("PUT", f"{self._notes}/{number}", body=body, accept=_GONE).is_success

    def delete(self, number: int) -> None:
        """Take a note away; one that is gone is fine."""
        self._rest.call("DELETE", f"{self._notes}/{number}", accept=_GONE)


class GitLabMergeRequests:
    """The merge requests of one project.

    Args:
        rest: The API.
        project: The id of the project.
    """

    def __init__(self, rest: Rest, *, project: int) -> None:
        self._rest = rest
        self._merge_requests = f"/projects/{project}/merge_requests"

    def open(self) -> Iterator[PullRequest]:
        """Every open one."""
        return self._rest.pages(
            f"{self._merge_requests}?state=opened", lambda item: PullRequest(int(item["iid"]), item["sha"])
        )

    def is_open(self, number: int) -> bool:
        """Whether a merge request is neither merged nor closed."""
        return self._rest.get(f"{self._merge_requests}/{number}", lambda item: item["state"] not in _ENDED)
