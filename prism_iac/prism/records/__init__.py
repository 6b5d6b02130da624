"""What Prism returns, as frozen values: one class per record, each with its liberal reader.

`parse` takes a decoded JSON value and raises `Malformed` and nothing else. Unknown fields are ignored
(prism-rest.md D8), the zero time is None (D6), and a word outside a closed set is None.
"""

from prism_iac.prism.records._assets import AssetRecord
from prism_iac.prism.records._computations import (
    AgentConfigRecord,
    ComputationRecord,
    DryRun,
    RunStatistic,
    parse_object,
)
from prism_iac.prism.records._cvms import CertificateFiles, CertificateRecord, CvmRecord, CvmStatistic
from prism_iac.prism.records._people import DomainRecord, RoleRecord, UserRecord, parse_member_id
from prism_iac.prism.records._runs import EventRecord, LogRecord, RunRecord

__all__ = [
    "AgentConfigRecord",
    "AssetRecord",
    "CertificateFiles",
    "CertificateRecord",
    "ComputationRecord",
    "CvmRecord",
    "CvmStatistic",
    "DomainRecord",
    "DryRun",
    "EventRecord",
    "LogRecord",
    "RoleRecord",
    "RunRecord",
    "RunStatistic",
    "UserRecord",
    "parse_member_id",
    "parse_object",
]
