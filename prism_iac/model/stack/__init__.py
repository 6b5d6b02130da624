"""The stack file: what people declare for one environment, as a document model.

Main entry: `StackFile`; `TABLES` names the model of each table's entries. References are names here, and
paths are as written: `prism_iac.spec` reads files, resolves both and tells what is wrong. Pure values;
imports nothing above `model`.
"""

from typing import Final

from prism_iac.model._document import Document
from prism_iac.model.resources import CertificateSettings
from prism_iac.model.stack._asset import AssetEntry
from prism_iac.model.stack._attestation_policy import PolicyEntry
from prism_iac.model.stack._computation import AgentEntry, ComputationEntry, RunPolicy
from prism_iac.model.stack._endpoint import EMBEDDED, parse_endpoint
from prism_iac.model.stack._lock import AssetPin, ComputationPin, LockFile, PolicyPin
from prism_iac.model.stack._name import parse_name
from prism_iac.model.stack._participant import ParticipantEntry
from prism_iac.model.stack._promotion import PromotionEntry
from prism_iac.model.stack._rules import RuleEntry, RuleLevel, WaiverEntry
from prism_iac.model.stack._secret import SECRET_FIELDS, SecretSource, mentions_secret, parse_secret
from prism_iac.model.stack._stack_file import StackFile
from prism_iac.model.stack._template import MadeEntry, TemplateEntry
from prism_iac.model.stack._vm import VmEntry

__all__ = [
    "EMBEDDED",
    "SECRET_FIELDS",
    "TABLES",
    "AgentEntry",
    "AssetEntry",
    "AssetPin",
    "ComputationEntry",
    "ComputationPin",
    "LockFile",
    "MadeEntry",
    "ParticipantEntry",
    "PolicyEntry",
    "PolicyPin",
    "PromotionEntry",
    "RuleEntry",
    "RuleLevel",
    "RunPolicy",
    "SecretSource",
    "StackFile",
    "TemplateEntry",
    "VmEntry",
    "WaiverEntry",
    "mentions_secret",
    "parse_endpoint",
    "parse_name",
    "parse_secret",
]

TABLES: Final[dict[str, type[Document]]] = {
    "participants": ParticipantEntry,
    "assets": AssetEntry,
    "certificates": CertificateSettings,
    "attestation_policies": PolicyEntry,
    "vms": VmEntry,
    "computations": ComputationEntry,
}
"""The tables of a stack file, and the model of an entry of each."""
