# What the room offers; `__init__.py` reads the names from here.
from ._accounts import Accounts, workspace_alias
from ._assets import AssetContent, Assets
from ._certificates import Certificates
from ._client import PrismClient
from ._computations import Computations, Detail
from ._credentials import Credentials, PasswordCredentials, TokenCredentials
from ._cvms import Cvms
from ._data_folder import data_folder
from ._domains import Domains
from ._embedded import Embedded, find_embedded, start_embedded
from ._errors import (
    AlreadyExists,
    ApiConflict,
    ApiError,
    NotFound,
    PermissionDenied,
    Rejected,
    Unauthenticated,
    Unavailable,
    UnexpectedReply,
)
from ._limits import Limits
from ._paths import Paths
from ._roles import Roles
from ._users import Users
from ._workspace import Workspace
from .records import (
    AgentConfigRecord,
    AssetRecord,
    CertificateFiles,
    CertificateRecord,
    ComputationRecord,
    CvmRecord,
    CvmStatistic,
    DomainRecord,
    DryRun,
    EventRecord,
    LogRecord,
    RoleRecord,
    RunRecord,
    RunStatistic,
    UserRecord,
)

__all__ = [
    "Accounts",
    "AgentConfigRecord",
    "AlreadyExists",
    "ApiConflict",
    "ApiError",
    "AssetContent",
    "AssetRecord",
    "Assets",
    "CertificateFiles",
    "CertificateRecord",
    "Certificates",
    "ComputationRecord",
    "Computations",
    "Credentials",
    "CvmRecord",
    "CvmStatistic",
    "Cvms",
    "Detail",
    "DomainRecord",
    "Domains",
    "DryRun",
    "Embedded",
    "EventRecord",
    "Limits",
    "LogRecord",
    "NotFound",
    "PasswordCredentials",
    "Paths",
    "PermissionDenied",
    "PrismClient",
    "Rejected",
    "RoleRecord",
    "Roles",
    "RunRecord",
    "RunStatistic",
    "TokenCredentials",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedReply",
    "UserRecord",
    "Users",
    "Workspace",
    "data_folder",
    "find_embedded",
    "start_embedded",
    "workspace_alias",
]
