"""The life of a participant's grant: actions on a computation besides those of its definition."""

from __future__ import annotations

from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._handler import Handler, Live, whereabouts
from prism_iac.lifecycle._roles import grant_actions, roles_by_user, withdraw_actions
from prism_iac.model import DEFINED_ACTIONS
from prism_iac.model.resources import Participant
from prism_iac.prism import NotFound

__all__ = ["ParticipantHandler"]


class ParticipantHandler(Handler[Participant]):
    """A user holds one role per computation, so a grant is joined with what the definition gives."""

    model = Participant
    replaces_by_deleting_first = True

    def create(self, desired: Participant, context: Context) -> Live[Participant]:
        """Give the actions."""
        user = context.session.user(desired.user, desired.workspace)
        roles = context.session.workspace(desired.workspace).roles
        with context.session.exclusively(desired.computation):
            role = grant_actions(roles, desired.computation, user.id, frozenset(desired.actions))
        return Live(f"{desired.computation}/{user.id}", desired.with_(role=role))

    def find(self, desired: Participant, context: Context) -> Live[Participant] | None:
        """By the user and the computation, of whom one grant can be."""
        user = context.session.find_user(desired.user)
        if user is None:
            return None
        live = self.read(Live(f"{desired.computation}/{user.id}", desired), context)
        return live if live and set(live.state.actions) & set(desired.actions) else None

    def read(self, live: Live[Participant], context: Context) -> Live[Participant] | None:
        """The actions besides those of the definition; gone when the user holds none."""
        user = context.session.find_user(live.state.user)
        if user is None:
            return None
        roles = context.session.workspace(live.state.workspace).roles
        try:
            role = roles_by_user(roles.list(live.state.computation)).get(user.id)
        except NotFound:
            return None
        if role is None:
            return None
        actions = sorted(frozenset(role.actions) - DEFINED_ACTIONS)
        return Live(live.id, live.state.with_(actions=actions, role=role.name))

    def recall(self, object_id: str, context: Context) -> Live[Participant] | None:
        """By `<computation>/<user>`, after the workspace or without it."""
        computation, _, user = object_id.rpartition("/")
        workspace, computation = whereabouts(computation, context)
        found = context.session.find_user(user)
        if found is None:
            return None
        name = context.session.name_of(found.id)
        nothing_known = Participant.model_construct(
            identity=context.identity, workspace=workspace, computation=computation, user=name, actions=()
        )
        return self.read(Live(f"{computation}/{found.id}", nothing_known), context)

    def update(self, live: Live[Participant], desired: Participant, context: Context) -> Live[Participant]:
        """Give the actions; those that are no longer asked for are taken."""
        return Live(live.id, self.create(desired, context).state)

    def delete(self, live: Live[Participant], context: Context) -> None:
        """Take the actions; those of the definition stay."""
        user = context.session.find_user(live.state.user)
        if user is None:
            return
        roles = context.session.workspace(live.state.workspace).roles
        with context.session.exclusively(live.state.computation):
            try:
                withdraw_actions(roles, live.state.computation, user.id)
            except NotFound:
                return
