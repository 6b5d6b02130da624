"""A bundle that Prism's certificate service issues for a VM (prism-rest.md section 2.6, D41 to D44).

A renewal issues anew and keeps the serial numbers of before. They are revoked by an update after a refresh has seen
that computations have the new certificates and none has the old ones; until then both are good. With
`keys_on_renewal: reuse` Prism lets the same serial number end later, and nothing is revoked.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from prism_iac.errors import Conflict, PartialResult, PrismError, RemoteFailure
from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._handler import Live
from prism_iac.lifecycle.handlers._bundle_life import with_life
from prism_iac.model import mark_of
from prism_iac.model.resources import CertificateBundle, KeysOnRenewal

if TYPE_CHECKING:
    from prism_iac.prism import CertificateFiles, Certificates

__all__ = [
    "IN_USE",
    "OLD_UNUSED",
    "REVOKED",
    "issue_at_prism",
    "look_at_prism",
    "renew_at_prism",
    "revoke_all",
]

IN_USE: Final = "in use"
OLD_UNUSED: Final = "old unused"
REVOKED: Final = "revoked"


def issue_at_prism(
    desired: CertificateBundle, context: Context, *, old: Collection[str] = ()
) -> Live[CertificateBundle]:
    """Certificates for the sides of the mode; each serial number is recorded as soon as it is known.

    Args:
        desired: The inputs.
        context: The surroundings.
        old: Serial numbers of before, to be revoked later.

    Raises:
        PartialResult: A later step failed; what was issued is recorded, to be revoked by the next update.
    """
    certificates = _certificates(desired, context)
    made: dict[str, Any] = {}
    serials: dict[str, str] = {}
    try:
        for side in _sides(desired):
            serials[side] = _issue(certificates, desired, side, context, old=old)
            files = certificates.fetch(desired.vm or "", serials[side])
            _require_valid(files.certificate_pem, context)
            made |= _of_side(side, serials[side], files)
    except PrismError as error:
        unfinished = desired.with_(old_serials=[*serials.values(), *old] or None)
        raise PartialResult(
            error.message,
            id=desired.identity,
            state=unfinished.properties(),
            where=error.where,
            next_step=error.next_step,
        ) from error
    finished = desired.with_(**made, old_serials=list(old) or None, standing=IN_USE)
    return Live(desired.identity, with_life(finished))


def renew_at_prism(
    state: CertificateBundle, desired: CertificateBundle, context: Context
) -> Live[CertificateBundle]:
    """Later certificates, or those that an update before could not finish; old ones that nobody uses are revoked."""
    certificates = _certificates(desired, context)
    old = tuple(state.old_serials or ())
    if state.standing == OLD_UNUSED or not _serials(state):
        _revoke(certificates, old)
        old = ()
    if not _serials(state):
        return issue_at_prism(desired, context, old=old)
    if state.standing == REVOKED:
        return issue_at_prism(desired, context, old=(*_serials(state), *old))
    if state.standing == OLD_UNUSED:
        return Live(state.identity, state.with_(old_serials=None, standing=IN_USE))
    if desired.keys_on_renewal is KeysOnRenewal.REUSE and state.mode is desired.mode:
        return _extended(state, desired, certificates)
    return issue_at_prism(desired, context, old=(*_serials(state), *old))


def look_at_prism(state: CertificateBundle, context: Context) -> CertificateBundle | None:
    """What Prism says of the serial numbers, and whether computations still have the certificates of before.

    Returns:
        The state with its standing; None when Prism knows none of the serial numbers.
    """
    serials = _serials(state)
    known = {item.serial_number: item for item in _certificates(state, context).list(cvm_id=state.vm)}
    if not any(serial in known for serial in serials):
        return None
    if any(serial not in known or known[serial].revoked for serial in serials):
        return state.with_(standing=REVOKED)
    old = tuple(serial for serial in state.old_serials or () if serial in known and not known[serial].revoked)
    seen = state.with_(old_serials=list(old) or None)
    return seen.with_(standing=OLD_UNUSED if old and _is_taken_over(state, context) else IN_USE)


def revoke_all(state: CertificateBundle, context: Context) -> None:
    """Revoke whatever the bundle was issued; a serial number that Prism does not know is fine."""
    _revoke(_certificates(state, context), (*_serials(state), *(state.old_serials or ())))


def _issue(
    certificates: Certificates,
    desired: CertificateBundle,
    side: str,
    context: Context,
    *,
    old: Collection[str],
) -> str:
    """A serial number.

    An issue that was cut off is begun again from the same state, and so under the same key. Where Prism keeps no keys,
    one whose reply was lost is found among those that were not there before.
    """
    vm = desired.vm or ""
    addresses = desired.ip_addresses if side == "server" else ()
    key = mark_of("\n".join((desired.identity, side, *addresses, *old)))
    before = {item.serial_number for item in certificates.list(cvm_id=vm)}
    try:
        return certificates.issue(vm, ip_addresses=addresses, idempotency_key=key)
    except RemoteFailure:
        new = [
            item.serial_number for item in certificates.list(cvm_id=vm) if item.serial_number not in before
        ]
        if len(new) != 1:
            raise
        context.report(f"the reply was lost; the certificate {new[0]} is the one that was issued")
        return new[0]


def _extended(
    state: CertificateBundle, desired: CertificateBundle, certificates: Certificates
) -> Live[CertificateBundle]:
    made: dict[str, Any] = {}
    for side in _sides(desired):
        serial = getattr(state, f"{side}_serial")
        certificates.renew(serial)
        made |= _of_side(side, serial, certificates.fetch(desired.vm or "", serial))
    extended = desired.with_(**made, old_serials=state.old_serials, standing=state.standing)
    return Live(state.identity, with_life(extended))


def _is_taken_over(state: CertificateBundle, context: Context) -> bool:
    """Whether a computation has the agent's certificate of now, and none has another one of this VM's CA."""
    from prism_iac.pki import load_certificates

    workspace = state.workspace or ""
    configured = [
        record.agent_config.cert_file
        for record in context.session.snapshot(workspace).computations.all()
        if record.agent_config is not None and record.agent_config.cert_file
    ]
    old = {int(serial) for serial in state.old_serials or ()}
    used = {item.serial_number for pem in configured for item in load_certificates(pem.encode())}
    return int(state.server_serial or 0) in used and not used & old


def _of_side(side: str, serial: str, files: CertificateFiles) -> dict[str, str]:
    return {
        f"{side}_certificate": files.certificate_pem,
        f"{side}_key": files.private_key_pem,
        f"{side}_serial": serial,
        "ca_certificate": files.ca_pem,
    }


def _require_valid(certificate_pem: str, context: Context) -> None:
    from prism_iac.pki import load_certificates

    leaf, *_ = load_certificates(certificate_pem.encode())
    if leaf.not_valid_after_utc <= context.now():
        raise Conflict(
            f"Prism issued a certificate that ended on {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
            where=context.name,
            next_step="Compare the clocks of this machine and of Prism, and run the update again.",
        )


def _revoke(certificates: Certificates, serials: Collection[str]) -> None:
    from prism_iac.prism import NotFound

    for serial in serials:
        try:
            certificates.revoke(serial)
        except NotFound:
            continue


def _serials(state: CertificateBundle) -> tuple[str, ...]:
    return tuple(serial for serial in (state.server_serial, state.client_serial) if serial is not None)


def _sides(bundle: CertificateBundle) -> tuple[str, ...]:
    from prism_iac.pki import parties_of

    return tuple(party.name for party in parties_of(bundle))


def _certificates(bundle: CertificateBundle, context: Context) -> Certificates:
    return context.session.workspace(bundle.workspace or "").certificates
