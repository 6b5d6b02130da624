"""The document that people write for one environment."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from prism_iac.model._canonical import Text
from prism_iac.model._change import REPLACE
from prism_iac.model._document import Document
from prism_iac.model.resources import CertificateSettings
from prism_iac.model.stack._asset import AssetEntry
from prism_iac.model.stack._attestation_policy import PolicyEntry
from prism_iac.model.stack._computation import ComputationEntry
from prism_iac.model.stack._endpoint import EMBEDDED, Endpoint
from prism_iac.model.stack._name import EntryName
from prism_iac.model.stack._participant import ParticipantEntry
from prism_iac.model.stack._promotion import PromotionEntry
from prism_iac.model.stack._rules import RuleEntry
from prism_iac.model.stack._template import TemplateEntry
from prism_iac.model.stack._variable import VariableEntry
from prism_iac.model.stack._vm import VmEntry

__all__ = ["StackFile"]


def _one_or_several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


FileNames = Annotated[
    tuple[Text, ...],
    BeforeValidator(_one_or_several),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]
"""The name of a file, or a list of names."""


class StackFile(Document):
    """Everything that one environment has in one workspace.

    Entries refer to each other by name. Paths of inputs are relative to the file they stand in.
    """

    extends: FileNames = ()
    """A stack file to build on, relative to this one, or several, of which later ones win.

    Tables are joined field by field, lists replaced; `null` removes what a file further down sets.
    """

    include: FileNames = ()
    """Files with entries that belong to this one, as a name, a pattern such as `computations/*.yaml`, or a list.

    They hold tables of entries alone. A name that two of them give to an entry is refused.
    """

    variables: dict[EntryName, VariableEntry] = Field(default_factory=dict)
    """Values that environments set; `${var.NAME}` stands for one."""

    templates: dict[EntryName, TemplateEntry] = Field(default_factory=dict)
    """What many entries have in common; `template: NAME` in an entry uses one."""

    environment: EntryName
    """The name of the environment, such as `dev`."""

    endpoint: Endpoint = EMBEDDED
    """Where Prism is: `embedded`, or an https URL."""

    workspace: Annotated[Text, REPLACE]
    """The Prism workspace: its name, alias or id."""

    locked: bool = False
    """Whether an update needs the lock file beside this one; where there is one, it counts in any case."""

    promotion: PromotionEntry | None = None
    """Who signs and approves what this environment is given; without it, whoever updates decides."""

    rules: dict[EntryName, RuleEntry] = Field(default_factory=dict)
    """How the rules of `prism-iac rules list` hold here; without an entry as they say themselves."""

    participants: dict[EntryName, ParticipantEntry] = Field(default_factory=dict)
    """Who takes part."""

    assets: dict[EntryName, AssetEntry] = Field(default_factory=dict)
    """What they bring."""

    certificates: dict[EntryName, CertificateSettings] = Field(default_factory=dict)
    """Bundles of keys and certificates for agents and participants."""

    attestation_policies: dict[EntryName, PolicyEntry] = Field(default_factory=dict)
    """What evidence must show."""

    vms: dict[EntryName, VmEntry] = Field(default_factory=dict)
    """The confidential VMs."""

    computations: dict[EntryName, ComputationEntry] = Field(default_factory=dict)
    """What is computed."""
