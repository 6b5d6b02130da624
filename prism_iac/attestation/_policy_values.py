"""How the values of a policy file are written: the types of its fields.

Source: attestation.md section 3.7 (protojson: 64-bit numbers as text or number, bytes as base64, enumerations
by name or number).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BeforeValidator, InstanceOf

from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._tcb import Tcb
from prism_iac.errors import InvalidInput
from prism_iac.model import Refusal
from prism_iac.pki import parse_certificate, public_key_of

__all__ = [
    "PRODUCT_NAMES",
    "U8",
    "U16",
    "U32",
    "U64",
    "CertifiedKey",
    "ExpiryDate",
    "FirmwareVersion",
    "Octets8",
    "Octets16",
    "Octets32",
    "Octets48",
    "Octets64",
    "OctetsOrSkip48",
    "PcrNumber",
    "ProductLine",
    "ProductName",
    "QuoteVendor",
    "Sha1Hex",
    "Sha256Hex",
    "Sha384Hex",
    "TcbNumber",
    "TdxVendor",
    "Vmpl",
]

PRODUCT_NAMES: Final = {
    "SEV_PRODUCT_MILAN": Product.MILAN,
    "SEV_PRODUCT_GENOA": Product.GENOA,
    "SEV_PRODUCT_TURIN": Product.TURIN,
    "SEV_PRODUCT_SIMULATED": Product.SIMULATED,
    "SEV_PRODUCT_SIMULATED_TURIN": Product.SIMULATED_TURIN,
}
"""The names of products in policy files; the last two are this package's own."""

_UNSET_PRODUCT: Final = (0, "SEV_PRODUCT_UNKNOWN")
_PRODUCT_NUMBERS: Final = {1: Product.MILAN, 2: Product.GENOA, 3: Product.TURIN}

_FIX: Final = "Correct it, or download the policy again."


def _number(limit: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        is_digits = isinstance(value, str) and value.isascii() and value.isdecimal()
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not (is_digits or is_number) or not 0 <= int(value) < limit:
            raise Refusal(f"must be a whole number from 0 to {limit - 1}", _FIX)
        return int(value)

    return read


def _octets(size: int | None = None) -> Callable[[Any], bytes]:
    def read(value: Any) -> bytes:
        try:
            data = base64.b64decode(value, validate=True)
        except (ValueError, TypeError):
            raise Refusal("must be base64", _FIX) from None
        if size is not None and len(data) != size:
            raise Refusal(f"must have {size} bytes, not {len(data)}", _FIX)
        return data

    return read


def _certified_key(value: Any) -> ec.EllipticCurvePublicKey:
    try:
        key = public_key_of(parse_certificate(_octets()(value)))
    except InvalidInput:
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise Refusal("must be a certificate (DER) of a key on P-384", _FIX)
    return key


def _hexadecimal(size: int) -> Callable[[Any], bytes]:
    def read(value: Any) -> bytes:
        if not isinstance(value, str) or not re.fullmatch(f"[0-9a-fA-F]{{{2 * size}}}", value):
            raise Refusal(f"must be {size} bytes as hexadecimal text", _FIX)
        return bytes.fromhex(value)

    return read


def _tcb(value: Any) -> Tcb:
    return Tcb.from_int(_number(2**64)(value))


def _firmware_version(value: Any) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", value) if isinstance(value, str) else None
    if found is None:
        raise Refusal('must be a version such as "1.55"', _FIX)
    return _number(2**8)(found[1]), _number(2**8)(found[2])


def _product_name(value: Any) -> Product | None:
    if value in _UNSET_PRODUCT and not isinstance(value, bool):
        return None
    names: dict[Any, Product] = {**PRODUCT_NAMES, **_PRODUCT_NUMBERS}
    if isinstance(value, bool) or value not in names:
        raise Refusal(f"must be one of {', '.join(PRODUCT_NAMES)}", _FIX)
    return names[value]


def _product_line(value: Any) -> Product:
    if value not in tuple(Product):
        raise Refusal(f"must be one of {', '.join(Product)}", _FIX)
    return Product(value)


class TdxVendor(StrEnum):
    """Who stands behind a quote, by the first word of the names in its certificates."""

    INTEL = "Intel"
    SIMULATED = "SIMULATED"
    """Keys made by this package; no policy for hardware names it."""


def _quote_vendor(value: Any) -> TdxVendor:
    if value not in tuple(TdxVendor):
        raise Refusal(f"must be one of {', '.join(TdxVendor)}", _FIX)
    return TdxVendor(value)


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        raise Refusal('must be a date such as "2027-01-31"', _FIX) from None


def _octets_or_skip(value: Any) -> bytes | None:
    return None if value in ("", None) else _octets(48)(value)


U8 = Annotated[int, BeforeValidator(_number(2**8))]
U16 = Annotated[int, BeforeValidator(_number(2**16))]
U32 = Annotated[int, BeforeValidator(_number(2**32))]
U64 = Annotated[int, BeforeValidator(_number(2**64))]
Vmpl = Annotated[int, BeforeValidator(_number(4))]
PcrNumber = Annotated[int, BeforeValidator(_number(24))]

CertifiedKey = Annotated[InstanceOf[ec.EllipticCurvePublicKey], BeforeValidator(_certified_key)]
Octets8 = Annotated[bytes, BeforeValidator(_octets(8))]
Octets16 = Annotated[bytes, BeforeValidator(_octets(16))]
Octets32 = Annotated[bytes, BeforeValidator(_octets(32))]
Octets48 = Annotated[bytes, BeforeValidator(_octets(48))]
Octets64 = Annotated[bytes, BeforeValidator(_octets(64))]
OctetsOrSkip48 = Annotated[bytes | None, BeforeValidator(_octets_or_skip)]
QuoteVendor = Annotated[TdxVendor, BeforeValidator(_quote_vendor)]

Sha1Hex = Annotated[bytes, BeforeValidator(_hexadecimal(20))]
Sha256Hex = Annotated[bytes, BeforeValidator(_hexadecimal(32))]
Sha384Hex = Annotated[bytes, BeforeValidator(_hexadecimal(48))]

ExpiryDate = Annotated[date, BeforeValidator(_date)]

TcbNumber = Annotated[InstanceOf[Tcb], BeforeValidator(_tcb)]
FirmwareVersion = Annotated[tuple[int, int], BeforeValidator(_firmware_version)]
ProductName = Annotated[Product | None, BeforeValidator(_product_name)]
ProductLine = Annotated[Product, BeforeValidator(_product_line)]
