"""A participant: what one user may do with one computation."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import field_validator

from prism_iac.model._canonical import ActionSet, Text, User
from prism_iac.model._change import COMPUTED, IN_PLACE, REPLACE
from prism_iac.model._names import DEFINED_ACTIONS, Action
from prism_iac.model._refusal import Refusal
from prism_iac.model._unknown import contains_unknown
from prism_iac.model.resources._base import InWorkspace

__all__ = ["Participant"]


class Participant(InWorkspace):
    """Actions that a user gets on a computation, besides those that its definition gives.

    Who provides an algorithm or a dataset and who consumes the result follows from the computation alone.
    A user holds one role per computation (D51): the actions of both are joined in it.
    """

    kind: ClassVar[str] = "Participant"

    computation: Annotated[Text, REPLACE]
    """The id of the computation."""

    user: Annotated[User, REPLACE]
    """The user; a member of the workspace."""

    actions: Annotated[ActionSet, IN_PLACE]
    """The actions, or built-in roles that stand for theirs; `view` always comes with them."""

    @field_validator("actions")
    @classmethod
    def _leaves_definition_alone(cls, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        if contains_unknown(actions):
            return actions
        given = DEFINED_ACTIONS.intersection(actions)
        if given:
            raise Refusal(
                f"{', '.join(sorted(given))} follows from the computation's own definition",
                "Remove it here; name the asset or the result consumer in the computation.",
            )
        return actions

    role: Annotated[str | None, COMPUTED] = None
    """The name of the role that the user holds at the last read."""
