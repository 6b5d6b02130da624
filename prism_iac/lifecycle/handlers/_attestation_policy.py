"""The life of an attestation policy: a file for the participants, from a VM or declared."""

from __future__ import annotations

import tempfile
from pathlib import Path

from prism_iac.errors import Conflict
from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._handler import Handler, Live
from prism_iac.model import sha3_256
from prism_iac.model.resources import AttestationPolicy

__all__ = ["AttestationPolicyHandler"]


class AttestationPolicyHandler(Handler[AttestationPolicy]):
    """The object is the file: gone or edited, it is written again."""

    model = AttestationPolicy

    def create(self, desired: AttestationPolicy, context: Context) -> Live[AttestationPolicy]:
        """Fetch or render the document and write the file."""
        document = _document(desired, context)
        _write(Path(desired.path), document)
        state = desired.with_(document=document.decode(), sha3_256=sha3_256(document).hex())
        return Live(desired.identity, state)

    def read(self, live: Live[AttestationPolicy], _: Context) -> Live[AttestationPolicy] | None:
        """Gone when the file is not the one that was written."""
        try:
            found = Path(live.state.path).read_bytes()
        except FileNotFoundError:
            return None
        return live if sha3_256(found).hex() == live.state.sha3_256 else None

    def update(
        self, live: Live[AttestationPolicy], desired: AttestationPolicy, context: Context
    ) -> Live[AttestationPolicy]:
        """Write the file anew, and remove the one at the old place."""
        if live.state.path != desired.path:
            self.delete(live, context)
        return Live(live.id, self.create(desired, context).state)

    def delete(self, live: Live[AttestationPolicy], context: Context) -> None:
        """Remove the file; one that somebody edited stays."""
        if self.read(live, context) is not None:
            Path(live.state.path).unlink(missing_ok=True)


def _document(desired: AttestationPolicy, context: Context) -> bytes:
    if desired.expectations is not None:
        from prism_iac.attestation import PolicyDocument

        return PolicyDocument.from_values(desired.expectations).to_bytes()
    if desired.workspace is None or desired.vm is None:
        raise Conflict(
            "a policy from a VM needs a workspace", next_step="Set `workspace`, or `prism:workspace`."
        )
    return context.session.workspace(desired.workspace).cvms.attestation_policy(desired.vm)


def _write(path: Path, document: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(document)
    Path(file.name).replace(path)
