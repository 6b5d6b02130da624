"""One comment for each stack, whoever else publishes at the same time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from prism_iac.errors import Conflict, Finding, InvalidInput

__all__ = ["COMMENT_CHARACTERS", "Comment", "Forge", "composed", "publish"]

COMMENT_CHARACTERS: Final = 64_000
"""The most that a comment has, its mark included."""

_ROUNDS: Final = 3
"""How often a comment may go while it is edited, before that is told."""


@dataclass(frozen=True, slots=True, order=True)
class Comment:
    """A comment of a pull request.

    Attributes:
        id: Counted up by the forge: the lower one of two is the older.
        author: The name of the account that wrote it.
        body: Its Markdown.
    """

    id: int
    author: str
    body: str


class Forge(Protocol):
    """The comments of one pull request."""

    def own_name(self) -> str:
        """The name of the account that this job acts as."""

    def comments(self) -> Iterator[Comment]:
        """Every comment, of every page."""

    def create(self, body: str) -> None:
        """Add a comment."""

    def edit(self, number: int, body: str) -> bool:
        """Replace the text of a comment; false where it is gone."""

    def delete(self, number: int) -> None:
        """Take a comment away; one that is gone is fine."""


def composed(stack: str, markdown: str) -> str:
    """The text of a stack's comment: the hidden mark, then the plan.

    Raises:
        InvalidInput: It is too long.
    """
    body = f"{_mark(stack)}\n{markdown}"
    if len(body) > COMMENT_CHARACTERS:
        raise InvalidInput(
            [
                Finding(
                    message=f"the comment has {len(body)} characters, {COMMENT_CHARACTERS} are allowed",
                    fix="Split the stack, or show its plan in the log of the job.",
                )
            ]
        )
    return body


def publish(forge: Forge, *, stack: str, body: str) -> None:
    """Leave one comment for a stack, with this text.

    The oldest comment of our own account that begins with the stack's mark is edited, younger ones are taken
    away. A create is followed by another look: of two jobs that both found nothing, each keeps the older one.

    Args:
        forge: Where.
        stack: Whose plan it is.
        body: What `composed` made.

    Raises:
        NotAllowed: The job may not write there.
        RemoteFailure: The forge refused or did not answer.
        Conflict: The comment goes whenever it is edited.
    """
    name = forge.own_name()
    for _ in range(_ROUNDS):
        ours = _ours(forge, name, stack)
        if not ours:
            forge.create(body)
            ours = _ours(forge, name, stack)
        if ours and _settle(forge, ours, body):
            return
    raise Conflict(
        f"the comment on stack {stack[:100]!r} goes whenever it is edited",
        next_step="See who else removes comments of this pull request, and run the job again.",
    )


def _settle(forge: Forge, ours: list[Comment], body: str) -> bool:
    kept, *younger = ours
    if kept.body != body and not forge.edit(kept.id, body):
        return False
    for comment in younger:
        forge.delete(comment.id)
    return True


def _ours(forge: Forge, name: str, stack: str) -> list[Comment]:
    mark = _mark(stack)
    return sorted(
        comment
        for comment in forge.comments()
        # A comment that quotes ours has the mark further down.
        if comment.author == name and comment.body.startswith(mark)
    )


def _mark(stack: str) -> str:
    # A digest, for a name must not end the HTML comment.
    return f"<!-- prism-iac plan {hashlib.sha3_256(stack.encode()).hexdigest()[:32]} -->"
