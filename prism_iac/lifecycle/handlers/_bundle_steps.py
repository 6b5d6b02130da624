"""How a certificate bundle moves on so that nobody who holds the files of the step before is cut off.

1. *Renewal*: fresh certificates, new keys for the leaves. The CA's certificate is made again for the CA's key,
   so whoever trusts the old one trusts the new leaves. The next CA is announced: both sides trust it from here on.
2. *Change of the CA*: the next CA signs. What was made before the announcement has ended by then. Another name or
   kind of key can be asked for at any time; then `renew_before` is the time to fetch the files anew.
3. *Retirement*: an old CA goes once nothing that it signed is valid.

Each step is a function of state, inputs and time, so one that was cut off is taken again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from prism_iac.model import parse_duration
from prism_iac.model.resources import CertificateBundle, KeysOnRenewal, Subject

if TYPE_CHECKING:
    from cryptography import x509

    from prism_iac.pki import Authority, IssuedCertificate, Party, SignedCertificate

__all__ = ["CLOCK_SKEW", "Step", "advance", "due_step", "due_under_both", "issue", "renewal_begins"]

CLOCK_SKEW: Final = timedelta(minutes=10)
"""How far the clocks of peers may differ."""

_OF_THE_CA: Final = ("common_name", "subject", "key", "permitted", "intermediate")
"""The inputs that a CA is made from."""

_BEYOND_THE_USUAL: Final = (
    "server_request",
    "client_request",
    "servers",
    "clients",
    "permitted",
    "intermediate",
)
"""The inputs that ask for more than a CA, a server and a client with keys made here."""


class Step(StrEnum):
    """What time alone asks for."""

    REMAKE = "remake"
    """The certificates are not valid yet: a clock that was ahead made them."""

    RENEW = "renew"
    CHANGE_CA = "change the CA"
    RETIRE_CA = "retire the old CA"


def renewal_begins(state: CertificateBundle) -> datetime | None:
    """When the certificates are to be made again; None where there are none.

    What counts is the life that was issued. A window that is not shorter is a third of it: else the
    certificates were due as soon as they are made.
    """
    if state.not_before is None or state.not_after is None:
        return None
    begin, end = datetime.fromisoformat(state.not_before), datetime.fromisoformat(state.not_after)
    wished = parse_duration(state.renew_before)
    return end - (wished if wished < end - begin - CLOCK_SKEW else (end - begin) / 3)


def due_step(state: CertificateBundle, now: datetime) -> Step | None:
    """What is due, told from dates alone: no key is read."""
    renewal = renewal_begins(state)
    if renewal is None or state.not_before is None:
        return None
    if now < datetime.fromisoformat(state.not_before) - CLOCK_SKEW:
        return Step.REMAKE
    if _is_past(state.next_ca_on, now):
        return Step.CHANGE_CA
    if now >= renewal:
        return Step.RENEW
    return Step.RETIRE_CA if _is_past(state.old_ca_until, now) else None


def due_under_both(before: CertificateBundle, after: CertificateBundle, now: datetime) -> Step | None:
    """What is due whichever of two windows holds: a new window alone issues nothing.

    Args:
        before: The state.
        after: The state with the window that is asked for.
        now: The time, aware.
    """
    step, other = due_step(before, now), due_step(after, now)
    return other if step is Step.RENEW else step


def issue(desired: CertificateBundle, now: datetime) -> CertificateBundle:
    """Everything new, for a bundle of which nobody holds files."""
    from prism_iac.pki import issue_bundle, parties_of

    if parties_of(desired) and any(getattr(desired, name) for name in _BEYOND_THE_USUAL):
        signer = _new_ca(desired, now, parse_duration(desired.validity))
        return desired.with_(**_Cas(signer, None, ()).outputs(now), **_leaves(desired, desired, signer, now))
    bundle = issue_bundle(desired, now=now)
    return desired.with_(
        ca_certificate=bundle.ca_certificate,
        ca_key=bundle.ca_key,
        server_certificate=bundle.server_certificate,
        server_key=bundle.server_key,
        client_certificate=bundle.client_certificate,
        client_key=bundle.client_key,
        not_before=bundle.not_before.isoformat() if bundle.not_before else None,
        not_after=bundle.not_after.isoformat() if bundle.not_after else None,
    )


def advance(
    state: CertificateBundle, desired: CertificateBundle, step: Step | None, now: datetime
) -> CertificateBundle:
    """The next state: that of a step, or what other inputs ask for.

    Args:
        state: The inputs and outputs as they are.
        desired: The inputs as they shall be.
        step: What is due.
        now: The time, aware.

    Raises:
        InvalidInput: A name does not fit into a certificate.
    """
    from prism_iac.pki import parties_of

    if state.ca_certificate is None or not parties_of(desired):
        return issue(desired, now)
    cas = _Cas.of(state)
    is_other_ca = any(getattr(state, name) != getattr(desired, name) for name in _OF_THE_CA)
    reuses = desired.keys_on_renewal is KeysOnRenewal.REUSE
    if now >= cas.ends and cas.next is None and not reuses:
        return issue(desired, now)
    if step is Step.RETIRE_CA and _inputs(state) == _inputs(desired):
        return state.with_(**cas.outputs(now))
    if step is Step.CHANGE_CA and not is_other_ca:
        cas = cas.changed(desired, now)
    elif is_other_ca:
        cas = cas.announcing(desired, now, on=min(cas.ends, now + parse_duration(desired.renew_before)))
    elif step is Step.RENEW and cas.next is None and not reuses:
        cas = cas.announcing(desired, now, on=cas.ends)
    else:
        cas = cas.made_again(desired, now)
    return desired.with_(**cas.outputs(now), **_leaves(state, desired, cas.signer, now))


@dataclass(frozen=True, slots=True)
class _Cas:
    """The CAs of a bundle.

    Attributes:
        signer: The one that signs.
        next: The one that is announced, and from when on it signs.
        old: Those that are trusted still.
    """

    signer: Authority
    next: tuple[Authority, datetime] | None
    old: tuple[x509.Certificate, ...]

    @classmethod
    def of(cls, state: CertificateBundle) -> _Cas:
        from prism_iac.pki import load_certificates

        assert state.ca_certificate is not None, "a bundle with certificates has a CA"
        signer, *others = load_certificates(state.ca_certificate.encode())
        following = None
        if state.next_ca_key is not None and state.next_ca_on is not None:
            announced = _authority(others.pop(0), state.next_ca_key)
            following = announced, datetime.fromisoformat(state.next_ca_on)
        return cls(_authority(signer, state.ca_key), following, tuple(others))

    @property
    def ends(self) -> datetime:
        """When nothing that the signer signed is valid on any clock."""
        return self.signer.not_after + CLOCK_SKEW

    def made_again(self, desired: CertificateBundle, now: datetime) -> _Cas:
        """Later dates for the same keys."""
        signer = _made_again(self.signer, desired, now, at_least=self.signer.not_after)
        if self.next is None:
            return replace(self, signer=signer)
        following, on = self.next
        return replace(
            self, signer=signer, next=(_made_again(following, desired, now, at_least=signer.not_after), on)
        )

    def announcing(self, desired: CertificateBundle, now: datetime, *, on: datetime) -> _Cas:
        """The same signer with later dates, and another CA that follows it."""
        signer = _made_again(self.signer, desired, now, at_least=self.signer.not_after)
        following = _new_ca(desired, now, _validity(desired, now, at_least=signer.not_after))
        announced = replace(self, signer=signer, next=(following, on))
        return announced.changed(desired, now) if on <= now else announced

    def changed(self, desired: CertificateBundle, now: datetime) -> _Cas:
        """The one that was announced signs; the one that signed is trusted until it ends."""
        assert self.next is not None, "a CA that takes over was announced"
        following, _ = self.next
        return _Cas(
            signer=_made_again(following, desired, now, at_least=self.signer.not_after),
            next=None,
            old=(_certificate(self.signer), *self.old),
        )

    def outputs(self, now: datetime) -> dict[str, Any]:
        """The properties that say it; an old CA that ended is left out."""
        old = [item for item in self.old if now < item.not_valid_after_utc + CLOCK_SKEW]
        following, on = self.next or (None, None)
        trusted = [_certificate(ca) for ca in (self.signer, following) if ca is not None]
        return {
            "ca_certificate": b"".join(_pem(item) for item in (*trusted, *old)),
            "ca_key": self.signer.key_pem,
            "next_ca_key": following.key_pem if following else None,
            "next_ca_on": on.isoformat(timespec="seconds") if on else None,
            "old_ca_until": min(
                ((item.not_valid_after_utc + CLOCK_SKEW).isoformat() for item in old), default=None
            ),
        }


def _leaves(
    state: CertificateBundle, desired: CertificateBundle, signer: Authority, now: datetime
) -> dict[str, Any]:
    from prism_iac.pki import Side, load_private_key, parse_request, parties_of

    issuer = _below(signer, desired, now) if desired.intermediate else signer
    keeps_keys = desired.keys_on_renewal is KeysOnRenewal.REUSE and state.key == desired.key

    def issue_to(party: Party) -> tuple[IssuedCertificate | SignedCertificate, str | None]:
        if asked := getattr(desired, f"{party.name}_request", None):
            request = parse_request(asked.encode())
            return issuer.sign_request(request, now=now, validity=parse_duration(desired.validity)), None
        known = _key_of(state, party.name) if keeps_keys else None
        issued = issuer.issue(
            common_name=party.common_name,
            subject=party.subject,
            dns_names=party.dns_names,
            ip_addresses=party.ip_addresses,
            key=load_private_key(known.encode()) if known else desired.key,
            now=now,
            validity=parse_duration(desired.validity),
        )
        return issued, issued.key_pem.decode()

    parties = parties_of(desired)
    with ThreadPoolExecutor(len(parties)) as pool:
        issued = {party.name: item for party, item in zip(parties, pool.map(issue_to, parties), strict=True)}
    server, _ = issued["server"]
    more = {
        name: {"certificate": item.certificate_pem + issuer.chain_pem, "private_key": key}
        for name, (item, key) in issued.items()
        if name not in tuple(Side)
    }
    usual = {name: pair for name, pair in issued.items() if name not in more}
    return {
        **{
            f"{name}_certificate": item.certificate_pem + issuer.chain_pem
            for name, (item, _) in usual.items()
        },
        **{f"{name}_key": key for name, (_, key) in usual.items()},
        "parties": more or None,
        "not_before": server.not_before.isoformat(),
        "not_after": server.not_after.isoformat(),
    }


def _below(root: Authority, desired: CertificateBundle, now: datetime) -> Authority:
    return root.create_below(
        f"{desired.common_name} intermediate CA",
        key=desired.key,
        now=now,
        validity=parse_duration(desired.validity),
        subject=desired.subject,
    )


def _key_of(state: CertificateBundle, party: str) -> str | None:
    more = (state.parties or {}).get(party)
    return more.private_key if more is not None else getattr(state, f"{party}_key", None)


def _new_ca(desired: CertificateBundle, now: datetime, validity: timedelta) -> Authority:
    from prism_iac.pki import Authority, Permitted

    names = desired.permitted
    return Authority.create(
        f"{desired.common_name} CA",
        key=desired.key,
        now=now,
        validity=validity,
        subject=desired.subject,
        path_length=int(bool(desired.intermediate)),
        permitted=None if names is None else Permitted(names.dns_names, names.ip_ranges),
    )


def _made_again(ca: Authority, desired: CertificateBundle, now: datetime, *, at_least: datetime) -> Authority:
    from prism_iac.pki import Authority, load_private_key, permitted_by

    common_name, subject = _names(_certificate(ca))
    return Authority.create(
        common_name,
        key=load_private_key(ca.key_pem),
        now=now,
        validity=_validity(desired, now, at_least=max(at_least, ca.not_after)),
        subject=subject,
        path_length=ca.path_length or 0,
        permitted=permitted_by(_certificate(ca)),
    )


def _validity(desired: CertificateBundle, now: datetime, *, at_least: datetime) -> timedelta:
    # A CA never ends before one that has the same key, nor before what it follows: their leaves count on it.
    return max(parse_duration(desired.validity), at_least - now)


def _names(certificate: x509.Certificate) -> tuple[str, Subject]:
    from cryptography.x509 import NameOID

    def part(oid: x509.ObjectIdentifier) -> str | None:
        found = certificate.subject.get_attributes_for_oid(oid)
        return str(found[0].value) if found else None

    return part(NameOID.COMMON_NAME) or "", Subject(
        organization=part(NameOID.ORGANIZATION_NAME),
        organizational_unit=part(NameOID.ORGANIZATIONAL_UNIT_NAME),
        email=part(NameOID.EMAIL_ADDRESS),
    )


def _authority(certificate: x509.Certificate, key: str | None) -> Authority:
    from prism_iac.pki import Authority

    assert key is not None, "a CA of a bundle has its key in state"
    return Authority.load(_pem(certificate), key.encode())


def _certificate(ca: Authority) -> x509.Certificate:
    from prism_iac.pki import load_certificates

    return load_certificates(ca.certificate_pem)[0]


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _inputs(bundle: CertificateBundle) -> dict[str, Any]:
    return {name: getattr(bundle, name) for name in bundle.input_names()}


def _is_past(moment: str | None, now: datetime) -> bool:
    return moment is not None and now >= datetime.fromisoformat(moment)
