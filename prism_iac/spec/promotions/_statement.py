"""What a promotion record says: an in-toto statement about the computations that were carried on.

Source: in-toto Attestation Framework v1, spec/v1/statement.md; digest names by spec/v1/digest_set.md.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from prism_iac._json import load_json
from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Checksum, Document, Text, findings_of
from prism_iac.model.stack import LockFile

__all__ = ["PAYLOAD_TYPE", "PLATFORM", "Evidence", "Promoted", "Promotion", "Terms"]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
PLATFORM: Final = "(platform)"
"""What the platform's key is called among participants; no participant can be called so."""

_STATEMENT: Final = "https://in-toto.io/Statement/v1"
_PREDICATE: Final = "urn:prism-iac:promotion:v1"


class Evidence(Document):
    """The run that has proven a manifest, as the state of the source environment tells it."""

    run: Text
    """The id of the run."""

    number: int
    """Its number within its computation."""

    manifest_sha3_256: Checksum
    """SHA3-256 of the manifest that was run, with its id and its mark."""

    result_sha3_256: Checksum | None = None
    """SHA3-256 of the result archive, where the agent told it."""

    ended: Text
    """When it ended, RFC 3339."""


class Promoted(Document):
    """One computation that was carried on."""

    source_manifest_sha3_256: Checksum
    """What the lock of the source environment pins."""

    manifest_sha3_256: Checksum
    """What the lock of this environment pins; another one where the environments differ in who takes part."""

    assets: dict[str, Checksum]
    """What was carried, by name: SHA3-256 of the algorithm and of the datasets."""

    evidence: Evidence
    """The run that has proven it."""


class Terms(Document):
    """Whose signatures count, and how many, at the time of the promotion."""

    keys: dict[str, Text]
    """The public keys that may sign, by participant: PKIX DER, base64."""

    approvals: Annotated[int, Field(ge=0)]
    """How many approvals it takes besides the promoter's signature."""

    approvers: tuple[Text, ...]
    """Whose approvals count."""


class Promotion(Document):
    """What was promoted, from where, by whom, and on which terms.

    Attributes:
        previous_sha256: SHA-256 of the file of the record before this one; None for the first.
        lock: The whole lock of the environment, as it is from then on.
    """

    number: Annotated[int, Field(ge=1)]
    previous_sha256: Checksum | None = None
    source: Text
    environment: Text
    promoted_at: Text
    promoted_by: Text
    computations: dict[str, Promoted]
    lock: LockFile
    terms: Terms

    def to_payload(self) -> bytes:
        """The statement as canonical JSON: keys sorted, no spaces."""
        subject = [
            {"name": name, "digest": {"sha3_256": item.manifest_sha3_256}}
            for name, item in sorted(self.computations.items())
        ]
        statement = {
            "_type": _STATEMENT,
            "subject": subject,
            "predicateType": _PREDICATE,
            "predicate": self.model_dump(mode="json", exclude_none=True),
        }
        return json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def parse(cls, payload: bytes) -> Promotion:
        """The promotion in a payload, which must be what `to_payload` writes.

        Raises:
            InvalidInput: It is none; with every finding.
        """
        try:
            statement: Any = load_json(payload)
            promotion = cls.model_validate(statement["predicate"])
        except ValidationError as error:
            raise findings_of(error, cls) from None
        except (ValueError, KeyError, TypeError) as error:
            raise _refusal("the payload is no statement of a promotion") from error
        if promotion.to_payload() != payload:
            raise _refusal("the statement is not written as a promotion writes it")
        return promotion


def _refusal(message: str) -> InvalidInput:
    return InvalidInput([Finding(message=message, fix="Bring it back as it was, from the repository.")])
