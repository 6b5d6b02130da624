"""What a stack is resolved to, from its files alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from prism_iac.attestation import PolicyDocument
from prism_iac.attestation.declared import declared_document, measure_launch
from prism_iac.attestation.policy import PolicyFile
from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import path_text, sha3_256, shown
from prism_iac.model.resources import PolicySettings
from prism_iac.model.stack import AssetPin, ComputationPin, LockFile, PolicyPin
from prism_iac.spec._stack import Stack, StackPolicy
from prism_iac.spec.lock._manifest import AssetDigests, render_manifest

__all__ = ["resolve_pins"]

E = TypeVar("E")
P = TypeVar("P")


def resolve_pins(stack: Stack, *, digests: AssetDigests | None = None) -> LockFile:
    """The lock that says what the stack's files say.

    Args:
        stack: The stack.
        digests: Those of the stack, where some are known.

    Raises:
        InvalidInput: A file cannot be read, a launch cannot be measured, or a participant's key is not named;
            with every finding.
    """
    findings: set[Finding] = set()
    known = digests or AssetDigests(stack)

    def table(entries: Mapping[str, E], pin: Callable[[E], P]) -> dict[str, P]:
        pins = {}
        for name, entry in entries.items():
            try:
                pins[name] = pin(entry)
            except InvalidInput as error:
                findings.update(error.findings)
        return pins

    pinned = LockFile(
        environment=stack.environment,
        assets=table(stack.assets, lambda asset: AssetPin(sha3_256=known.of(asset).hex())),
        attestation_policies=table(stack.attestation_policies, lambda policy: _pin_policy(policy, stack)),
        computations=table(
            stack.computations,
            lambda computation: ComputationPin(
                manifest_sha3_256=render_manifest(computation, stack, digests=known).digest().hex()
            ),
        ),
    )
    if findings:
        raise InvalidInput(findings)
    return pinned


def _pin_policy(policy: StackPolicy, stack: Stack) -> PolicyPin:
    try:
        settings = _with_measurement(_with_reference_values(policy.settings))
        document = declared_document(settings)
    except InvalidInput as error:
        raise InvalidInput(_placed(finding, policy, stack) for finding in error.findings) from error
    return PolicyPin(sha3_256=sha3_256(document.to_bytes()).hex(), measurement=settings.measurement)


def _with_reference_values(settings: PolicySettings) -> PolicySettings:
    """With what the signed file says; its signature is judged where it is used."""
    if settings.reference_values is None:
        return settings
    try:
        found = PolicyFile.parse(Path(settings.reference_values).read_bytes())
    except OSError as error:
        message = f"{shown(error.filename)} cannot be read: {error.strerror}"
        finding = Finding(path="reference_values", message=message, fix="Check the path and its rights.")
        raise InvalidInput([finding]) from error
    return settings.model_copy(update={"expectations": found.document.values()})


def _with_measurement(settings: PolicySettings) -> PolicySettings:
    if settings.launch is None:
        return settings
    is_tdx = PolicyDocument.from_values(settings.expectations or {}).is_tdx
    measured = measure_launch(settings.launch, is_tdx=is_tdx)
    return settings.model_copy(update={"measurement": measured.measurement})


def _placed(finding: Finding, policy: StackPolicy, stack: Stack) -> Finding:
    """A finding about settings, with the place where they are written."""
    location = ("attestation_policies", policy.name, *finding.path.split("."))
    return Finding(*stack.origin(*location), path_text(location), finding.message, finding.fix)
