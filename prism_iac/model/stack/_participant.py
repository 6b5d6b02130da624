"""A participant: a person or a service that brings something or reads results."""

from __future__ import annotations

from typing import Annotated

from prism_iac.model._canonical import Text, User
from prism_iac.model._change import IN_PLACE, REPLACE
from prism_iac.model._document import Document

__all__ = ["ParticipantEntry"]


class ParticipantEntry(Document):
    """A user of Prism, under the name that the rest of the file calls them by."""

    user: Annotated[User, REPLACE]
    """The Prism user: an email address, a user name or a user id."""

    public_key: Annotated[Text | None, IN_PLACE] = None
    """The file of the public key, PEM; without it the participant registers a key themselves."""
