"""The resource class of a participant."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PrismResource
from prism_iac.provider.dynamic import ParticipantProvider

__all__ = ["Participant"]


class Participant(PrismResource, module="prism", name="Participant"):
    """Actions that a user gets on a computation, besides those that its definition gives.

    A user holds one role per computation: the actions of the definition and of this grant are joined in it.
    """

    workspace: Output[str]
    """The workspace that the computation is in."""
    computation: Output[str]
    """The id of the computation."""
    user: Output[str]
    """The user."""
    actions: Output[list[str]]
    """The actions, `view` among them."""
    role: Output[str | None]
    """The name of the role that the user holds at the last read."""

    def __init__(
        self,
        resource_name: str,
        *,
        computation: Input[str],
        user: Input[str],
        actions: Input[Sequence[Input[str]]],
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a participant.

        Args:
            resource_name: The logical name.
            computation: The id of the computation.
            user: A member of the workspace: email, user name or id.
            actions: Of `view`, `edit`, `run`, `administrator`; or roles that stand for theirs.
            workspace: The workspace; the provider's when left out.
            opts: Resource options.
        """
        super().__init__(
            ParticipantProvider(),
            resource_name,
            {"workspace": workspace, "computation": computation, "user": user, "actions": actions},
            outputs=("role",),
            deletes_first=True,
            opts=opts,
        )
