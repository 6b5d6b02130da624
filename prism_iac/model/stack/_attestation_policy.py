"""An attestation policy of a stack file."""

from __future__ import annotations

from typing import Annotated, Any

from prism_iac.model._canonical import Text
from prism_iac.model._change import IN_PLACE
from prism_iac.model._document import Document
from prism_iac.model.stack._name import Reference

__all__ = ["PolicyEntry"]


class PolicyEntry(Document):
    """The reference values that participants hold an agent's evidence against: a VM's own, or declared."""

    vm: Annotated[Reference | None, IN_PLACE] = None
    """The VM to take the policy from."""

    expectations: Annotated[dict[str, Any] | None, IN_PLACE] = None
    """The policy document itself, with the keys of the policy file."""

    path: Annotated[Text | None, IN_PLACE] = None
    """The file to write, relative to the project folder; `.prism/policies/<name>.json` when left out."""
