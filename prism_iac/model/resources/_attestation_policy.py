"""An attestation policy: the reference values that participants hold an agent's evidence against."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import model_validator

from prism_iac.model._canonical import Checksum, Text
from prism_iac.model._change import COMPUTED, IN_PLACE, REPLACE
from prism_iac.model._refusal import Refusal
from prism_iac.model._unknown import contains_unknown
from prism_iac.model.resources._base import ResourceModel

__all__ = ["AttestationPolicy"]


class AttestationPolicy(ResourceModel):
    """A policy file for the participants, downloaded from a VM or declared (prism-rest.md section 3.10, D47)."""

    kind: ClassVar[str] = "AttestationPolicy"

    path: Annotated[Text, IN_PLACE]
    """The file to write, relative to the project folder."""

    workspace: Annotated[Text | None, REPLACE] = None
    """The Prism workspace of the VM: its name, alias or id. Defaults to the provider's."""

    vm: Annotated[Text | None, IN_PLACE] = None
    """The id of the VM to download the policy from."""

    expectations: Annotated[dict[str, Any] | None, IN_PLACE] = None
    """The policy document itself, with the keys of the policy file, when it is declared."""

    document: Annotated[str | None, COMPUTED] = None
    """The policy file's text."""

    sha3_256: Annotated[Checksum | None, COMPUTED] = None
    """SHA3-256 of the policy file's bytes."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if not contains_unknown([self.vm, self.expectations]) and (self.vm is None) == (
            self.expectations is None
        ):
            raise Refusal(
                "a policy comes from a VM or is declared, one of the two", "Give either vm or expectations."
            )
        return self
