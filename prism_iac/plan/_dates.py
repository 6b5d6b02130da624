"""The dates that stand in a stack's state and among a workspace's certificates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from prism_iac.plan._preview import properties_of

if TYPE_CHECKING:
    from prism_iac.prism import Workspace

__all__ = ["Entry", "Event", "dates_of_stack", "dates_of_workspace", "upcoming"]

_PACKAGE: Final = "prism:"


class Event(StrEnum):
    """What happens on a date."""

    RENEWS = "renews"
    CHANGES_CA = "changes CA"
    EXPIRES = "expires"
    COUNTS = "counts"


_NEXT_STEPS: Final = {
    Event.RENEWS: "Run `pulumi up` before the end.",
    Event.CHANGES_CA: "Fetch the files anew before, with `prism-iac env`; then run `pulumi up`.",
    Event.EXPIRES: "Nobody connects with it from then on.",
    Event.COUNTS: "Evidence that falls short of it is refused from then on.",
}


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One date.

    Attributes:
        at: UTC.
        of: What people know it by.
    """

    at: datetime
    event: Event
    of: str

    @property
    def next_step(self) -> str:
        """What the reader does, or what follows."""
        return _NEXT_STEPS[self.event]


def upcoming(entries: Iterable[Entry], *, now: datetime, days: int) -> list[Entry]:
    """Those up to a number of days from now, soonest first; what is overdue is among them."""
    return sorted(entry for entry in entries if entry.at < now + timedelta(days=days))


def dates_of_stack(resources: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    """The dates of certificate bundles, agents and attestation policies.

    Args:
        resources: As `pulumi stack export` gives them, secrets encrypted.
    """
    by_kind: dict[str, dict[str, Mapping[str, Any]]] = {}
    for resource in resources:
        _, package, token = str(resource.get("type", "")).partition(_PACKAGE)
        kind = token.rpartition(":")[2] if package else ""
        name = str(resource.get("urn", "")).rpartition("::")[2]
        recorded = resource.get("outputs") or {}
        by_kind.setdefault(kind, {})[name] = properties_of(str(resource.get("type", "")), recorded)
    bundles = by_kind.get("CertificateBundle", {})
    for name, outputs in bundles.items():
        yield from _of_bundle(name, outputs)
    known = {outputs.get("server_certificate") for outputs in bundles.values()}
    for name, outputs in by_kind.get("Computation", {}).items():
        certificate = (outputs.get("agent") or {}).get("cert_file")
        if isinstance(certificate, str) and certificate not in known:
            yield from _of_agent(name, certificate)
    for name, outputs in by_kind.get("AttestationPolicy", {}).items():
        for field, last_day in (outputs.get("warn") or {}).items():
            begins = datetime.combine(date.fromisoformat(last_day) + timedelta(days=1), time(), UTC)
            yield Entry(begins, Event.COUNTS, f"{field} of policy {name}")


def dates_of_workspace(workspace: Workspace) -> Iterator[Entry]:
    """The ends of the certificates that Prism issued for VMs that are there."""
    names = {vm.id: vm.name for vm in workspace.cvms.list()}
    for record in workspace.certificates.list():
        if not record.revoked and record.expiry_time and record.entity_id in names:
            of = f"VM {names[record.entity_id]} ({record.serial_number})"
            yield Entry(record.expiry_time.astimezone(UTC), Event.EXPIRES, of)


def _of_bundle(name: str, outputs: Mapping[str, Any]) -> Iterator[Entry]:
    from prism_iac.lifecycle import renewal_begins
    from prism_iac.model.resources import CertificateBundle, CertificateSource

    public = ("not_before", "not_after", "validity", "renew_before", "next_ca_on")
    bundle = CertificateBundle.parse({field: outputs[field] for field in public if field in outputs})
    renewal = renewal_begins(bundle)
    if renewal is None or bundle.not_after is None:
        return
    of = f"certificates {name}"
    if outputs.get("source") != CertificateSource.FILES:
        # Whoever made the files renews them.
        yield Entry(renewal, Event.RENEWS, of)
    yield Entry(datetime.fromisoformat(bundle.not_after), Event.EXPIRES, of)
    if bundle.next_ca_on is not None:
        yield Entry(datetime.fromisoformat(bundle.next_ca_on), Event.CHANGES_CA, of)


def _of_agent(name: str, certificate_pem: str) -> Iterator[Entry]:
    from prism_iac.pki import load_certificates

    leaf, *_ = load_certificates(certificate_pem.encode())
    yield Entry(leaf.not_valid_after_utc, Event.EXPIRES, f"agent of {name}")
