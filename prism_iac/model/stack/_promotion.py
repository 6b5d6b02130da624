"""How an environment takes what another has proven."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from prism_iac.model._canonical import Text
from prism_iac.model._document import Document
from prism_iac.model._refusal import Refusal
from prism_iac.model.stack._name import Reference

__all__ = ["PromotionEntry"]


class PromotionEntry(Document):
    """Who signs and who approves what an environment is given. With it, an update needs a promotion record."""

    approvals: Annotated[int, Field(ge=0)] = 0
    """How many of the approvers must have approved the latest record."""

    approvers: tuple[Reference, ...] = ()
    """The participants whose approvals count; each counts once."""

    platform_key: Text | None = None
    """The file of a public key that signs promotions besides the participants', relative to this stack file."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.approvals > len(set(self.approvers)):
            raise Refusal(
                f"{self.approvals} approvals cannot come from {len(set(self.approvers))} approvers",
                "Name more approvers, or ask for fewer approvals.",
                field="approvals",
            )
        return self
