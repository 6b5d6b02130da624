"""A confidential VM of a stack file."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from prism_iac.model._canonical import Text
from prism_iac.model._change import IN_PLACE, REPLACE
from prism_iac.model.resources import VmSettings, policy_without_evidence
from prism_iac.model.stack._name import Reference

__all__ = ["VmEntry"]


class VmEntry(VmSettings):
    """What kind of VM to make, how long to wait for it, and what it must prove."""

    name: Annotated[Text | None, REPLACE] = None
    """Its name at Prism; the name of this entry with a suffix of its own when left out."""

    attestation_policy: Annotated[Reference | None, IN_PLACE] = None
    """The declared policy that its evidence must meet, at the end of a create and at each refresh.

    For VMs that show evidence here: `local`, and `qemu` with simulated evidence.
    """

    @model_validator(mode="after")
    def _policy_has_evidence(self) -> Self:
        if self.attestation_policy is not None and not self.has_evidence_here:
            raise policy_without_evidence(self.provider, "attestation_policy")
        return self
