"""What AMD's certificate for a chip key says: the product, the TCB it was derived for, the chip.

Source: AMD 57230; attestation.md section 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography import x509

from prism_iac.attestation._der import Tag, integer_of, item, only_item
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._tcb import Tcb
from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki import extensions_of

__all__ = ["Endorsement", "endorsement_extensions", "read_endorsement"]

_BASE: Final = "1.3.6.1.4.1.3704.1"
_STRUCTURE_VERSION: Final = f"{_BASE}.1"
_PRODUCT_NAME: Final = f"{_BASE}.2"
_HWID: Final = f"{_BASE}.4"

_SPL_OIDS: Final[dict[str, str]] = {
    "boot loader": f"{_BASE}.3.1",
    "TEE": f"{_BASE}.3.2",
    "SNP": f"{_BASE}.3.3",
    "microcode": f"{_BASE}.3.8",
    "FMC": f"{_BASE}.3.9",
}
"""The extension that holds each part of a TCB version; reserved parts are zero."""

_CSP_ID: Final = f"{_BASE}.5"

_RESERVED_SPL_OIDS: Final = tuple(f"{_BASE}.3.{number}" for number in (4, 5, 6, 7))
_AUTHORITY_KEY: Final = x509.AuthorityKeyIdentifier.oid.dotted_string
_KNOWN_OIDS: Final = frozenset(
    {_STRUCTURE_VERSION, _PRODUCT_NAME, _HWID, _CSP_ID, _AUTHORITY_KEY}
    | {*_SPL_OIDS.values(), *_RESERVED_SPL_OIDS}
)
"""What a chip key's certificate may carry; an authority's constraints are not among it."""

_HWID_SIZES: Final = (64, 8)
_STRUCTURE_VERSIONS: Final = (0, 1)
_SVN_LIMIT: Final = 256


@dataclass(frozen=True, slots=True)
class Endorsement:
    """The claims of a VCEK or VLEK certificate.

    Attributes:
        product: The product line.
        stepping: Such as `B0`; empty where the certificate names none.
        tcb: The TCB version that the key was derived for.
        hwid: The chip, 64 bytes (8 on Turin); None in a VLEK.
        csp_id: The cloud provider that a VLEK was loaded for; None in a VCEK.
    """

    product: Product
    stepping: str
    tcb: Tcb
    hwid: bytes | None
    csp_id: str | None = None


def read_endorsement(certificate: x509.Certificate) -> Endorsement:
    """The claims of a chip key's certificate (AMD 57230; attestation.md section 2.5).

    Raises:
        InvalidInput: An extension is missing, doubled, malformed or of no known meaning, or the product is
            not known.
    """
    try:
        values = _values_of(certificate)
        name = _ia5(values[_PRODUCT_NAME])
        product_name, _, stepping = name.partition("-")
        product = Product(product_name)
        parts = bytes(
            _integer(values[_SPL_OIDS[part]]) if part in _SPL_OIDS else 0 for part in product.tcb_parts
        )
        hwid = _hwid(values[_HWID]) if _HWID in values else None
        csp_id = _ia5(values[_CSP_ID]) if _CSP_ID in values else None
    except (KeyError, ValueError, InvalidInput) as error:
        raise InvalidInput(
            [
                Finding(
                    path="evidence.leaf",
                    message="the certificate of the chip's key does not say which product and TCB it is for",
                    fix="Fetch it again from AMD's key distribution service.",
                )
            ]
        ) from error
    return Endorsement(product, stepping, Tcb(parts), hwid, csp_id)


def endorsement_extensions(endorsement: Endorsement) -> list[x509.UnrecognizedExtension]:
    """The extensions that say what an endorsement says (attestation.md section 2.5)."""
    name = "-".join(filter(None, (endorsement.product.value, endorsement.stepping)))
    parts = zip(endorsement.product.tcb_parts, endorsement.tcb.parts, strict=True)
    extensions = {
        _STRUCTURE_VERSION: _der_integer(0),
        _PRODUCT_NAME: item(Tag.IA5, name.encode("ascii")),
        **{_SPL_OIDS[part]: _der_integer(value) for part, value in parts if part in _SPL_OIDS},
        **{oid: _der_integer(0) for oid in _RESERVED_SPL_OIDS},
    }
    if endorsement.hwid is not None:
        extensions[_HWID] = endorsement.hwid
    if endorsement.csp_id is not None:
        extensions[_CSP_ID] = item(Tag.IA5, endorsement.csp_id.encode("ascii"))
    return [
        x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value) for oid, value in extensions.items()
    ]


def _values_of(certificate: x509.Certificate) -> dict[str, bytes]:
    values = {}
    for extension in extensions_of(certificate):
        oid = extension.oid.dotted_string
        if oid not in _KNOWN_OIDS:
            raise ValueError("the certificate has an extension that AMD does not give")
        if isinstance(extension.value, x509.UnrecognizedExtension):
            values[oid] = extension.value.value
    if integer_of(only_item(values[_STRUCTURE_VERSION], Tag.INTEGER)) not in _STRUCTURE_VERSIONS:
        raise ValueError("the extensions are of a version that is not known")
    return values


def _integer(der: bytes) -> int:
    value = integer_of(only_item(der, Tag.INTEGER))
    if value >= _SVN_LIMIT:
        raise ValueError("a security version number is one byte")
    return value


def _der_integer(value: int) -> bytes:
    # X.690 §8.3.2: the first bit is the sign, so that 128 and more take a leading zero.
    return item(Tag.INTEGER, value.to_bytes(1 + (value >> 7), "big"))


def _ia5(der: bytes) -> str:
    return only_item(der, Tag.IA5).decode("ascii")


def _hwid(value: bytes) -> bytes:
    # AMD puts the raw bytes there; some certificates wrap them as an OCTET STRING.
    raw = value if len(value) in _HWID_SIZES else only_item(value, Tag.OCTETS)
    if len(raw) not in _HWID_SIZES:
        raise ValueError("a chip's identity has 64 or 8 bytes")
    return raw
