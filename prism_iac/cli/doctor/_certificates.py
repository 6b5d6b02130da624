"""Whether a certificate that is in use ends soon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from prism_iac.cli._outcome import Outcome, failed, fine
from prism_iac.cli._prism import Prism
from prism_iac.pki import load_certificates

__all__ = ["certificates_outcome", "check_certificates"]

_SOON: Final = timedelta(days=14)
_VARIABLES: Final = ("AGENT_GRPC_SERVER_CA_CERTS", "AGENT_GRPC_CLIENT_CERT")
_FIX: Final = (
    "Renew the bundles of a stack with `pulumi up`, the certificate of a VM by replacing the VM, "
    "and files with `prism-iac env COMPUTATION --files DIR`."
)


def check_certificates(prism: Prism) -> Outcome:
    """Whether one of the certificates of VMs, agents or this shell ends soon."""
    found = dict([*_of_vms(prism), *_of_agents(prism), *_of_this_shell()])
    return certificates_outcome(found, now=datetime.now(UTC))


def certificates_outcome(ends: dict[str, datetime], *, now: datetime) -> Outcome:
    """What the ends of certificates mean today.

    Args:
        ends: When each ends, by what people know it by.
        now: The time, aware.
    """
    if not ends:
        return fine("there is none yet")
    soon = sorted((end, what) for what, end in ends.items() if end - now < _SOON)
    if soon:
        told = ", ".join(f"{what} on {end:%Y-%m-%d}" for end, what in soon)
        return failed(f"{len(soon)} of {len(ends)}", cause=f"certificates end soon: {told}", fix=_FIX)
    first = min(ends.values())
    return fine(f"{len(ends)}, the first ends on {first:%Y-%m-%d}")


def _of_vms(prism: Prism) -> Iterator[tuple[str, datetime]]:
    names = {vm.id: vm.name for vm in prism.workspace.cvms.list()}
    for record in prism.workspace.certificates.list():
        if not record.revoked and record.expiry_time and record.entity_id in names:
            yield f"VM {names[record.entity_id]} ({record.serial_number})", record.expiry_time


def _of_agents(prism: Prism) -> Iterator[tuple[str, datetime]]:
    for computation in prism.workspace.computations.list(include={"agent_config"}):
        config = computation.agent_config
        for pem in (config.cert_file, config.server_ca_file, config.client_ca_file) if config else ():
            if "-----BEGIN" in pem:
                for number, certificate in enumerate(load_certificates(pem.encode())):
                    yield f"agent of {computation.name} {number}", certificate.not_valid_after_utc


def _of_this_shell() -> Iterator[tuple[str, datetime]]:
    for variable in _VARIABLES:
        if path := os.environ.get(variable):
            for certificate in load_certificates(Path(path).read_bytes()):
                yield f"{variable} ({path})", certificate.not_valid_after_utc
