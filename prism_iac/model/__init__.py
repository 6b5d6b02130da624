"""Every document that people write or exchange, and what a change of each field means.

Main entries: the resource kinds in `prism_iac.model.resources`, the closed sets of words, canonical
digests and the runtime manifest. Pure: no network, clock, environment or random source. Imports nothing
of the package but `errors`.
"""

from prism_iac.model._canonical import (
    AssetKindText,
    Checksum,
    IpAddress,
    LevelText,
    PlatformText,
    Text,
    User,
    address_of,
    parse_duration,
    parse_pem,
)
from prism_iac.model._change import COMPUTED, FROZEN, IN_PLACE, REPLACE, Change, Rule, rule_of
from prism_iac.model._configuration import CONFIGURATION, ConfigKey
from prism_iac.model._details import details_of
from prism_iac.model._digest import archive_folder, sha3_256, sha3_256_of_path
from prism_iac.model._document import Document
from prism_iac.model._findings import Location, findings_of, path_text
from prism_iac.model._manifest import Manifest, ManifestAlgorithm, ManifestDataset, computation_id_of
from prism_iac.model._mark import mark_of, marked, unmarked, words_of
from prism_iac.model._names import (
    COMPUTATION_ROLES,
    DEFINED_ACTIONS,
    WORKSPACE_ADMIN_ROLE,
    Action,
    AgentState,
    AlgorithmRuntime,
    AssetKind,
    ComputationStatus,
    LogLevel,
    Platform,
    TlsMode,
    VmProvider,
    VmStatus,
    WorkspaceAction,
    role_name,
)
from prism_iac.model._refusal import Refusal
from prism_iac.model._remote import (
    RemoteSource,
    SourceKind,
    SourceLocation,
    is_pinned_image,
    kind_of_source,
    name_of_source,
    require_fitting_source,
)
from prism_iac.model._shape import is_secret
from prism_iac.model._tls import AGENT_TLS_FIELDS, OPTIONAL_TLS_FIELDS, REQUIRED_TLS_FIELDS, tls_mode_of
from prism_iac.model._unknown import UNKNOWN, Unknown, contains_unknown
from prism_iac.model._words import nearest, shown
from prism_iac.model._zip import DamagedZip, damage_told, open_zip, opened_zip

__all__ = [
    "AGENT_TLS_FIELDS",
    "COMPUTATION_ROLES",
    "COMPUTED",
    "CONFIGURATION",
    "DEFINED_ACTIONS",
    "FROZEN",
    "IN_PLACE",
    "OPTIONAL_TLS_FIELDS",
    "REPLACE",
    "REQUIRED_TLS_FIELDS",
    "UNKNOWN",
    "WORKSPACE_ADMIN_ROLE",
    "Action",
    "AgentState",
    "AlgorithmRuntime",
    "AssetKind",
    "AssetKindText",
    "Change",
    "Checksum",
    "ComputationStatus",
    "ConfigKey",
    "DamagedZip",
    "Document",
    "IpAddress",
    "LevelText",
    "Location",
    "LogLevel",
    "Manifest",
    "ManifestAlgorithm",
    "ManifestDataset",
    "Platform",
    "PlatformText",
    "Refusal",
    "RemoteSource",
    "Rule",
    "SourceKind",
    "SourceLocation",
    "Text",
    "TlsMode",
    "Unknown",
    "User",
    "VmProvider",
    "VmStatus",
    "WorkspaceAction",
    "address_of",
    "archive_folder",
    "computation_id_of",
    "contains_unknown",
    "damage_told",
    "details_of",
    "findings_of",
    "is_pinned_image",
    "is_secret",
    "kind_of_source",
    "mark_of",
    "marked",
    "name_of_source",
    "nearest",
    "open_zip",
    "opened_zip",
    "parse_duration",
    "parse_pem",
    "path_text",
    "require_fitting_source",
    "role_name",
    "rule_of",
    "sha3_256",
    "sha3_256_of_path",
    "shown",
    "tls_mode_of",
    "unmarked",
    "words_of",
]
