"""An attestation policy of a stack file."""

from __future__ import annotations

from typing import Annotated

from prism_iac.model._canonical import Text
from prism_iac.model._change import IN_PLACE
from prism_iac.model.resources import PolicySettings
from prism_iac.model.stack._name import Reference

__all__ = ["PolicyEntry"]


class PolicyEntry(PolicySettings):
    """The reference values that participants hold an agent's evidence against: a VM's own, or declared.

    In an environment named `prod` a change that makes them looser needs an approval by a participant.
    """

    vm: Annotated[Reference | None, IN_PLACE] = None
    """The VM to take the policy from."""

    manifest: Annotated[Reference | None, IN_PLACE] = None
    """The computation whose manifest PCR 16 must show, on platforms with a TPM."""

    signed_by: Annotated[Text | None, IN_PLACE] = None
    """The file of the public key that `reference_values` must be signed by."""

    path: Annotated[Text | None, IN_PLACE] = None
    """The file to write, relative to the project folder; `.prism/policies/<name>.json` when left out."""
