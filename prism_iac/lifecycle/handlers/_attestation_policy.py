"""The life of an attestation policy: a file for the participants, from a VM or declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_iac.errors import Conflict, Finding, InvalidInput, VerificationFailure
from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._handler import Handler, Live
from prism_iac.model import Manifest, contains_unknown, sha3_256, shown
from prism_iac.model.resources import AttestationPolicy, PolicySettings

if TYPE_CHECKING:
    from prism_iac.attestation import PolicyDocument

__all__ = ["AttestationPolicyHandler"]


class AttestationPolicyHandler(Handler[AttestationPolicy]):
    """The object is the file: gone or edited, it is written again."""

    model = AttestationPolicy
    not_kept = "it is a file beside the program"

    def complete(self, desired: AttestationPolicy, context: Context) -> AttestationPolicy:
        """Read the reference values, and measure the launch; hold what is given against both."""
        from prism_iac.attestation.declared import declared_document

        given = desired.properties()
        if contains_unknown([given.get(name) for name in (*PolicySettings.model_fields, "signed_by")]):
            return desired
        if desired.reference_values is not None:
            desired = _with_reference_values(desired, context)
        if desired.launch is not None:
            desired = _with_measurement(desired)
        if desired.vm is None:
            _require_understood(declared_document(desired))
        return desired

    def review(self, recorded: Mapping[str, Any], desired: AttestationPolicy, context: Context) -> None:
        """Refuse what gets looser without an approval, where that is asked for."""
        before = AttestationPolicy.parse(recorded)
        if not (before.requires_approval or desired.requires_approval):
            return
        if contains_unknown([before.inputs(), desired.inputs()]):
            return
        from prism_iac.lifecycle.handlers._policy_review import unapproved_changes

        findings = list(unapproved_changes(before, desired, now=context.now()))
        if findings:
            raise InvalidInput(findings)

    def create(self, desired: AttestationPolicy, context: Context) -> Live[AttestationPolicy]:
        """Fetch or render the document and write the file."""
        document = _document(desired, context)
        _write(Path(desired.path), document)
        return _of(document, desired)

    def find(self, desired: AttestationPolicy, context: Context) -> Live[AttestationPolicy] | None:
        """The file, when it is the one that would be written."""
        document = _document(desired, context)
        return self.read(_of(document, desired), context)

    def read(self, live: Live[AttestationPolicy], _: Context) -> Live[AttestationPolicy] | None:
        """Gone when the file is not the one that was written."""
        try:
            found = Path(live.state.path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Conflict(
                f"{shown(live.state.path)} cannot be read: {error.strerror}",
                next_step="Check its rights and those of its folder; what cannot be read is not taken for gone.",
            ) from error
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


def _require_understood(document: PolicyDocument) -> None:
    """Tell what no evidence could ever be held against before a file says it."""
    try:
        findings = [*document.policy().not_understood()]
    except InvalidInput as error:
        findings = [*error.findings]
    if findings:
        raise InvalidInput(replace(item, path=f"expectations.{item.path}") for item in findings)


def _of(document: bytes, desired: AttestationPolicy) -> Live[AttestationPolicy]:
    state = desired.with_(document=document.decode(), sha3_256=sha3_256(document).hex())
    return Live(desired.identity, state)


def _document(desired: AttestationPolicy, context: Context) -> bytes:
    from prism_iac.attestation import PolicyDocument
    from prism_iac.attestation.declared import declared_document, with_settings

    if desired.vm is None:
        return _expecting_manifest(declared_document(desired), desired).to_bytes()
    if desired.workspace is None:
        raise Conflict(
            "a policy from a VM needs a workspace", next_step="Set `workspace`, or `prism:workspace`."
        )
    found = context.session.workspace(desired.workspace).cvms.attestation_policy(desired.vm)
    return _expecting_manifest(with_settings(PolicyDocument.parse(found), desired), desired).to_bytes()


def _expecting_manifest(document: PolicyDocument, desired: AttestationPolicy) -> PolicyDocument:
    from prism_iac.attestation.tpm import expect_manifest

    if desired.manifest is None:
        return document
    try:
        manifest = Manifest.parse(desired.manifest)
    except InvalidInput as error:
        raise _finding(
            "manifest", "this is no manifest", "Give what `prism-iac manifest render` prints."
        ) from error
    return expect_manifest(document, manifest)


def _with_reference_values(desired: AttestationPolicy, context: Context) -> AttestationPolicy:
    from prism_iac.attestation.policy import PolicyFile
    from prism_iac.pki import load_public_key, parse_public_key

    if desired.expectations is not None:
        raise _finding("expectations", "are taken from reference_values, and given besides", "Remove one.")
    try:
        found = PolicyFile.parse(Path(desired.reference_values or "").read_bytes())
    except OSError as error:
        raise _finding(
            "reference_values",
            f"{shown(error.filename)} cannot be read: {error.strerror}",
            "Check the path, which is relative to the project folder, and its rights.",
        ) from error
    if found.signed is None:
        raise _finding("reference_values", "the file is not signed", "Ask for the signed one.")
    key = load_public_key(parse_public_key((desired.signed_by or "").encode()))
    try:
        found.signed.verify(key, now=context.now())
    except VerificationFailure as error:
        raise _finding("reference_values", error.message, error.next_step) from error
    return desired.with_(expectations=found.document.values())


def _with_measurement(desired: AttestationPolicy) -> AttestationPolicy:
    from prism_iac.attestation import PolicyDocument
    from prism_iac.attestation.declared import measure_launch

    assert desired.launch is not None, "the caller has looked"
    is_tdx = PolicyDocument.from_values(desired.expectations or {}).is_tdx
    measured = measure_launch(desired.launch, is_tdx=is_tdx)
    if desired.measurement not in (None, measured.measurement):
        raise _finding(
            "measurement",
            f"the launch measures {measured.measurement}, not {desired.measurement}",
            "Remove it, or bring back the files that were meant.",
        )
    for name, digest in (desired.launch_digests or {}).items():
        if measured.digests.get(name) != digest:
            raise _finding(
                f"launch_digests.{name}",
                f"the hash is {measured.digests.get(name)}, not {shown(digest)}",
                "Remove it, or bring back the file that was meant.",
            )
    return desired.with_(measurement=measured.measurement, launch_digests=measured.digests)


def _finding(path: str, message: str, fix: str) -> InvalidInput:
    return InvalidInput([Finding(path=path, message=message, fix=fix)])


def _write(path: Path, document: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Who is killed in the middle leaves a part that the next update writes over.
    part = path.with_name(f".{path.name}.new")
    try:
        part.write_bytes(document)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
