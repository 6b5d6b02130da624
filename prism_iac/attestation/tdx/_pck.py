"""What Intel's certificate for a platform says: its TCB, and which platform it is.

Source: Intel SGX PCK certificate profile, extension 1.2.840.113741.1.13.1; attestation.md section 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography import x509

from prism_iac.attestation._der import Item, Tag, integer_of, item, items_of, oid_content, oid_of, only_item
from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki import extensions_of

__all__ = ["PckClaims", "pck_extension", "read_pck"]

_SGX: Final = "1.2.840.113741.1.13.1"
_TCB: Final = f"{_SGX}.2"
_PCE_SVN: Final = f"{_TCB}.17"
_CPU_SVN: Final = f"{_TCB}.18"
_PPID: Final = f"{_SGX}.1"
_PCE_ID: Final = f"{_SGX}.3"
_FMSPC: Final = f"{_SGX}.4"

_COMPONENTS: Final = 16
_SIZES: Final = {_PPID: 16, _CPU_SVN: 16, _PCE_ID: 2, _FMSPC: 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class PckClaims:
    """The claims of a PCK certificate.

    Attributes:
        components: 16 security version numbers.
        pce_svn: That of the provisioning enclave.
        cpu_svn: 16 bytes.
        pce_id: 2 bytes.
        fmspc: 6 bytes: family, model, stepping, platform and custom SKU.
        ppid: 16 bytes, the platform.
    """

    components: bytes
    pce_svn: int
    cpu_svn: bytes
    pce_id: bytes
    fmspc: bytes
    ppid: bytes = bytes(16)


def read_pck(certificate: x509.Certificate) -> PckClaims:
    """The claims of a platform's certificate (attestation.md section 4.4, PCK extension).

    Raises:
        InvalidInput: The extension is missing or malformed, or says something twice.
    """
    try:
        (extension,) = (
            extension.value.value
            for extension in extensions_of(certificate)
            if isinstance(extension.value, x509.UnrecognizedExtension) and extension.oid.dotted_string == _SGX
        )
        values = _pairs(only_item(extension, Tag.SEQUENCE))
        tcb = _pairs(values[_TCB].of(Tag.SEQUENCE))
        octets = {oid: (values | tcb)[oid].of(Tag.OCTETS) for oid in _SIZES}
        if any(len(octets[oid]) != size for oid, size in _SIZES.items()):
            raise ValueError("a value of the PCK extension has another length")  # noqa: TRY301  # told like the rest
        numbers = [tcb[f"{_TCB}.{number}"].of(Tag.INTEGER) for number in range(1, _COMPONENTS + 1)]
        return PckClaims(
            components=bytes(map(integer_of, numbers)),
            pce_svn=integer_of(tcb[_PCE_SVN].of(Tag.INTEGER)),
            cpu_svn=octets[_CPU_SVN],
            pce_id=octets[_PCE_ID],
            fmspc=octets[_FMSPC],
            ppid=octets[_PPID],
        )
    except (KeyError, ValueError, InvalidInput) as error:
        raise InvalidInput(
            [
                Finding(
                    path="evidence.pck",
                    message="the certificate of the platform does not say which platform and TCB it is for",
                    fix="Fetch the evidence again.",
                )
            ]
        ) from error


def pck_extension(claims: PckClaims) -> x509.UnrecognizedExtension:
    """The extension that says what the claims say (attestation.md section 4.4, PCK extension)."""
    tcb = [
        *((f"{_TCB}.{number}", _integer(svn)) for number, svn in enumerate(claims.components, start=1)),
        (_PCE_SVN, _integer(claims.pce_svn)),
        (_CPU_SVN, item(Tag.OCTETS, claims.cpu_svn)),
    ]
    values = [
        (_PPID, item(Tag.OCTETS, claims.ppid)),
        (_TCB, _sequence(tcb)),
        (_PCE_ID, item(Tag.OCTETS, claims.pce_id)),
        (_FMSPC, item(Tag.OCTETS, claims.fmspc)),
        (f"{_SGX}.5", item(Tag.ENUMERATED, b"\1")),
    ]
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(_SGX), _sequence(values))


def _pairs(content: bytes) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for pair in items_of(content):
        name, value = items_of(pair.of(Tag.SEQUENCE))
        oid = oid_of(name.of(Tag.OID))
        if oid in found:
            raise ValueError("a value of the PCK extension stands there twice")
        found[oid] = value
    return found


def _sequence(pairs: list[tuple[str, bytes]]) -> bytes:
    return item(
        Tag.SEQUENCE,
        b"".join(item(Tag.SEQUENCE, item(Tag.OID, oid_content(oid)) + value) for oid, value in pairs),
    )


def _integer(value: int) -> bytes:
    return item(Tag.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
