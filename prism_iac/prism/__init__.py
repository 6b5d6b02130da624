"""The client of the Prism REST API, and where the embedded backend is found.

Main entries: `PrismClient` for everything that a Prism does, `find_embedded` and `start_embedded` for the
backend of this machine. The only room that knows URLs. Typed records leave it, never raw JSON, but for the
documents that are passed on whole (manifests, policies). Imports `model` and `errors`, and nothing of
Pulumi or of the backend, which it knows through its files, its command line and its routes alone. HTTP
libraries are imported when the first client is made.
"""

from prism_iac.prism._accounts import Accounts
from prism_iac.prism._assets import AssetContent, Assets
from prism_iac.prism._certificates import Certificates
from prism_iac.prism._client import PrismClient
from prism_iac.prism._computations import Computations, Detail
from prism_iac.prism._credentials import Credentials, PasswordCredentials, TokenCredentials
from prism_iac.prism._cvms import Cvms
from prism_iac.prism._data_folder import data_folder
from prism_iac.prism._domains import Domains
from prism_iac.prism._embedded import Embedded, find_embedded, start_embedded
from prism_iac.prism._errors import (
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
from prism_iac.prism._limits import Limits
from prism_iac.prism._paths import Paths
from prism_iac.prism._roles import Roles
from prism_iac.prism._users import Users
from prism_iac.prism._workspace import Workspace
from prism_iac.prism.records import (
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
]
