"""The closed sets of words that Prism, its agents and this package share.

Source: prism-rest.md sections 3.3 to 4.7 and decisions D13, D29, D33 to D36, D49; cocos-grpc.md section 2.3.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = [
    "COMPUTATION_ROLES",
    "DEFINED_ACTIONS",
    "WORKSPACE_ADMIN_ROLE",
    "Action",
    "AgentState",
    "AlgorithmRuntime",
    "AssetKind",
    "ComputationStatus",
    "LogLevel",
    "Platform",
    "TlsMode",
    "VmProvider",
    "VmStatus",
    "WorkspaceAction",
    "role_name",
]


class TlsMode(StrEnum):
    """How the agent in the VM is secured (section 5.1)."""

    NONE = "none"
    TLS = "tls"
    MTLS = "mtls"
    ATLS = "atls"
    MATLS = "matls"

    @property
    def is_attested(self) -> bool:
        """Whether evidence travels in the handshake."""
        return self in (TlsMode.ATLS, TlsMode.MATLS)


class LogLevel(StrEnum):
    """How much an agent logs (section 5.3)."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class AssetKind(StrEnum):
    """What an asset is (section 3.4)."""

    ALGORITHM = "algorithm"
    DATASET = "dataset"


class AlgorithmRuntime(StrEnum):
    """What runs an algorithm in a VM (cocos-grpc.md section 2.1)."""

    PYTHON = "python"
    BIN = "bin"
    WASM = "wasm"


class Platform(StrEnum):
    """The trusted execution environment of a VM, as it stands in a path (D34)."""

    SEV_SNP = "sev-snp"
    TDX = "tdx"


class VmProvider(StrEnum):
    """Who makes a confidential VM.

    The last four are Prism's own (D33). `local`, `qemu` and `cocos` are drivers of this package, the last for a
    manager of Cocos; Prism records a VM made by a driver as `external`.
    """

    LOCAL = "local"
    QEMU = "qemu"
    COCOS = "cocos"
    EXTERNAL = "external"
    ULTRAVIOLET = "ultraviolet"
    AZURE = "azure"
    GCP = "gcp"


class ComputationStatus(StrEnum):
    """The state of a computation or of a run of it (D13)."""

    EXECUTABLE = "executable"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether a run in this state has ended."""
        return self in (ComputationStatus.COMPLETED, ComputationStatus.FAILED, ComputationStatus.CANCELLED)


class VmStatus(StrEnum):
    """Power and connection of a VM (D36)."""

    CREATING = "creating"
    STARTING = "starting"
    ONLINE = "online"
    OFFLINE = "offline"
    INACTIVE = "inactive"


class AgentState(StrEnum):
    """The phases of an agent, in order; `Failed` may follow any of the middle ones."""

    IDLE = "Idle"
    RECEIVING_MANIFEST = "ReceivingManifest"
    RECEIVING_ALGORITHM = "ReceivingAlgorithm"
    RECEIVING_DATA = "ReceivingData"
    RUNNING = "Running"
    CONSUMING_RESULTS = "ConsumingResults"
    COMPLETE = "Complete"
    FAILED = "Failed"


class Action(StrEnum):
    """What a role lets its members do with a computation (section 4.6)."""

    VIEW = "view"
    EDIT = "edit"
    RUN = "run"
    ADMINISTRATOR = "administrator"
    ALGO_PROVIDER = "algo_provider"
    DATASET_PROVIDER = "dataset_provider"
    RESULT_CONSUMER = "result_consumer"


DEFINED_ACTIONS: Final = frozenset({Action.ALGO_PROVIDER, Action.DATASET_PROVIDER, Action.RESULT_CONSUMER})
"""The actions that follow from a computation's definition: who brings what, who reads the result."""

COMPUTATION_ROLES: Final[dict[str, frozenset[Action]]] = {
    "owner": frozenset({Action.VIEW, Action.EDIT, Action.RUN, Action.ADMINISTRATOR}),
    "algo_provider": frozenset({Action.VIEW, Action.ALGO_PROVIDER}),
    "dataset_provider": frozenset({Action.VIEW, Action.DATASET_PROVIDER}),
    "result_consumer": frozenset({Action.VIEW, Action.RESULT_CONSUMER}),
    "viewer": frozenset({Action.VIEW}),
    "editor": frozenset({Action.VIEW, Action.EDIT}),
    "runner": frozenset({Action.VIEW, Action.RUN}),
}
"""The built-in roles of a computation and their actions (section 4.6)."""


def role_name(actions: frozenset[Action]) -> str:
    """The name of the role that grants exactly these actions.

    A built-in name where one fits, otherwise the actions besides `view`, sorted and joined by `+`.
    """
    for name, granted in COMPUTATION_ROLES.items():
        if granted == actions:
            return name
    return "+".join(sorted(actions - {Action.VIEW}))


class WorkspaceAction(StrEnum):
    """What a workspace role lets its members do (section 4.7)."""

    ADD_ROLE_USERS = "add_role_users"
    CREATE_COMPUTATION = "create_computation"
    CREATE_CVMS = "create_cvms"
    DELETE = "delete"
    DISABLE = "disable"
    ENABLE = "enable"
    MANAGE_ROLE = "manage_role"
    READ = "read"
    REMOVE_CVMS = "remove_cvms"
    REMOVE_ROLE_USERS = "remove_role_users"
    UPDATE = "update"
    VIEW_ROLE_USERS = "view_role_users"


WORKSPACE_ADMIN_ROLE: Final = "admin"
"""The built-in workspace role; it grants every `WorkspaceAction` (section 4.7)."""
