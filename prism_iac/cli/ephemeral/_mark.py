"""The mark of an ephemeral stack: a tag of the stack, which every state backend keeps."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from prism_iac.cli._pulumi import ask_pulumi
from prism_iac.errors import Conflict

__all__ = ["BY_HAND", "Mark", "is_there", "marked_stacks", "name_of", "read_mark", "write_mark"]

BY_HAND: Final = "Run it in the folder of the platform repository, and see `pulumi stack ls`."
_TAG: Final = "prism-iac:ephemeral"


class Mark(BaseModel):
    """What a stack says of itself that may be destroyed.

    Attributes:
        of: The stack that it was made after.
        pull_request: Whose it is.
        expires: From when on it is swept away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    pull_request: int = Field(ge=1)
    expires: AwareDatetime

    def has_ended(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires <= now


def name_of(base: str, pull_request: int) -> str:
    """The name of a pull request's stack."""
    return f"{base}-pr-{pull_request}"


def marked_stacks() -> list[str]:
    """The names of the project's stacks that have a mark, sorted."""
    return _names("--tag", _TAG)


def is_there(stack: str) -> bool:
    """Whether the project has a stack, marked or not."""
    return stack in _names()


def read_mark(stack: str) -> Mark:
    """The mark of a stack.

    Raises:
        Conflict: It has none, or one that does not fit its name: it is not ours to touch.
    """
    tags = json.loads(ask_pulumi("stack", "tag", "ls", "--json", stack=stack, by_hand=BY_HAND))
    try:
        mark = Mark.model_validate_json(tags[_TAG])
    except (KeyError, ValidationError) as error:
        raise _not_ours(stack) from error
    if name_of(mark.of, mark.pull_request) != stack:
        raise _not_ours(stack)
    return mark


def write_mark(stack: str, mark: Mark) -> None:
    """Mark a stack, or set its end anew."""
    ask_pulumi("stack", "tag", "set", _TAG, mark.model_dump_json(), stack=stack, by_hand=BY_HAND)


def _names(*filters: str) -> list[str]:
    listed = json.loads(ask_pulumi("stack", "ls", "--json", *filters, stack=None, by_hand=BY_HAND))
    return sorted(str(item["name"]).rpartition("/")[2] for item in listed)


def _not_ours(stack: str) -> Conflict:
    return Conflict(
        f"the stack {stack} is not marked as ephemeral",
        next_step="It is left as it is. Where a run was cut off before it marked the stack, and `pulumi stack` "
        f"shows nothing in it, run `pulumi stack rm {stack}`.",
    )
