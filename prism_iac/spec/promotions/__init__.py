"""Promotion records: why an environment may have what its lock says, verified from the repository alone.

Main entries: `verify_promotions`, `require_promotion`. A record is an in-toto statement in a DSSE envelope, chained
to the one before it by the digest of its file. Reads files; no network, no clock. Imports `pki` and what is below
it. Records are written by `prism_iac.promotion`.
"""

from prism_iac.spec.promotions._approvals import Approvals, approvals_of, terms_of
from prism_iac.spec.promotions._chain import (
    require_promotion,
    verify_history,
    verify_links,
    verify_promotions,
)
from prism_iac.spec.promotions._records import Record, file_name, read_record, read_records, records_folder
from prism_iac.spec.promotions._statement import (
    PAYLOAD_TYPE,
    PLATFORM,
    Evidence,
    Promoted,
    Promotion,
    Terms,
)

__all__ = [
    "PAYLOAD_TYPE",
    "PLATFORM",
    "Approvals",
    "Evidence",
    "Promoted",
    "Promotion",
    "Record",
    "Terms",
    "approvals_of",
    "file_name",
    "read_record",
    "read_records",
    "records_folder",
    "require_promotion",
    "terms_of",
    "verify_history",
    "verify_links",
    "verify_promotions",
]
