"""What AMD's certificate for a chip key says: the product, the TCB it was derived for, the chip.

Source: AMD 57230; attestation.md section 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography import x509

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

_RESERVED_SPL_OIDS: Final = tuple(f"{_BASE}.3.{number}" for number in (4, 5, 6, 7))

_TAG_INTEGER: Final = 0x02
_TAG_OCTETS: Final = 0x04
_TAG_IA5: Final = 0x16
_HWID_SIZES: Final = (64, 8)


@dataclass(frozen=True, slots=True)
class Endorsement:
    """The claims of a VCEK or VLEK certificate.

    Attributes:
        product: The product line.
        stepping: Such as `B0`; empty where the certificate names none.
        tcb: The TCB version that the key was derived for.
        hwid: The chip, 64 bytes (8 on Turin); None in a VLEK.
    """

    product: Product
    stepping: str
    tcb: Tcb
    hwid: bytes | None


def read_endorsement(certificate: x509.Certificate) -> Endorsement:
    """The claims of a chip key's certificate.

    Raises:
        InvalidInput: An extension is missing, doubled or malformed, or the product is not known.
    """
    try:
        values = {
            extension.oid.dotted_string: extension.value.value
            for extension in extensions_of(certificate)
            if isinstance(extension.value, x509.UnrecognizedExtension)
        }
        name = _ia5(values[_PRODUCT_NAME])
        product_name, _, stepping = name.partition("-")
        product = Product(product_name)
        parts = bytes(
            _integer(values[_SPL_OIDS[part]]) if part in _SPL_OIDS else 0 for part in product.tcb_parts
        )
        hwid = _hwid(values[_HWID]) if _HWID in values else None
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
    return Endorsement(product, stepping, Tcb(parts), hwid)


def endorsement_extensions(endorsement: Endorsement) -> list[x509.UnrecognizedExtension]:
    """The extensions that say what an endorsement says."""
    name = "-".join(filter(None, (endorsement.product.value, endorsement.stepping)))
    parts = zip(endorsement.product.tcb_parts, endorsement.tcb.parts, strict=True)
    extensions = {
        _STRUCTURE_VERSION: _der_integer(0),
        _PRODUCT_NAME: _tlv(_TAG_IA5, name.encode("ascii")),
        **{_SPL_OIDS[part]: _der_integer(value) for part, value in parts if part in _SPL_OIDS},
        **{oid: _der_integer(0) for oid in _RESERVED_SPL_OIDS},
    }
    if endorsement.hwid is not None:
        extensions[_HWID] = endorsement.hwid
    return [
        x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value) for oid, value in extensions.items()
    ]


def _integer(der: bytes) -> int:
    (value,) = _content(der, _TAG_INTEGER)[-1:]
    if der != _der_integer(value):
        raise ValueError("a security version number is one byte, as a positive INTEGER")
    return value


def _der_integer(value: int) -> bytes:
    # X.690 §8.3.2: the first bit is the sign, so that 128 and more take a leading zero.
    return _tlv(_TAG_INTEGER, value.to_bytes(1 + (value >> 7), "big"))


def _ia5(der: bytes) -> str:
    return _content(der, _TAG_IA5).decode("ascii")


def _hwid(value: bytes) -> bytes:
    # AMD puts the raw bytes there; some certificates wrap them as an OCTET STRING.
    raw = value if len(value) in _HWID_SIZES else _content(value, _TAG_OCTETS)
    if len(raw) not in _HWID_SIZES:
        raise ValueError("a chip's identity has 64 or 8 bytes")
    return raw


def _content(der: bytes, tag: int) -> bytes:
    # X.690 §8.1: one byte of tag, one of length; nothing here is longer than 127 bytes.
    head, content = der[:2], der[2:]
    if head != bytes((tag, len(content))):
        raise ValueError("not the DER type that is expected here")
    return content


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content
