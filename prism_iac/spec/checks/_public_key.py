"""Files of public keys."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Location, Refusal
from prism_iac.pki import parse_public_key
from prism_iac.spec._draft import Draft

__all__ = ["check_public_key"]


def check_public_key(draft: Draft, location: Location, as_written: str) -> Iterator[Finding]:
    """A file that is not there, or holds no public key."""
    try:
        parse_public_key(draft.inputs.read_key_file(draft.path(location, as_written), as_written=as_written))
    except Refusal as refusal:
        yield draft.refused(location, refusal)
    except InvalidInput as error:
        for finding in error.findings:
            yield draft.finding(location, finding.message, finding.fix)
