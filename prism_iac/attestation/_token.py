"""The token that newer agents wrap their evidence in.

Its signature is made with a key of one start of the service, which nobody publishes: it proves nothing, so
that the evidence inside counts alone. Source: RFC 9711 (EAT), RFC 9052 §4.2 (COSE_Sign1); cocos-grpc.md
section 8.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from prism_iac.attestation._cbor import Tagged, decode_cbor, encode_cbor
from prism_iac.errors import Finding, InvalidInput

__all__ = ["Platform", "Token", "is_token"]

_COSE_SIGN1: Final = 18
_SIGN1_PARTS: Final = 4
_COSE_HEAD: Final = 0xC0 | _COSE_SIGN1
_MAP_HEADS: Final = range(0xA0, 0xBC)

_ISSUER, _EXPIRES, _ISSUED, _NONCE, _UEID, _MEASUREMENTS = 1, 4, 6, 10, 256, 265
_PLATFORM_TYPE: Final = "platform_type"
_RAW_REPORT: Final = "raw_report"
_ES256: Final = encode_cbor({1: -7})


class Platform(StrEnum):
    """What made the evidence, by the names that tokens use."""

    SNP = "SNP"
    TDX = "TDX"
    VTPM = "vTPM"
    SNP_VTPM = "SNP-vTPM"


@dataclass(frozen=True, slots=True)
class Token:
    """The claims of a token; none of them is proven.

    Attributes:
        platform: What made the evidence inside.
        raw_report: That evidence.
        nonce: What the agent was sent, as it says.
        issuer: Who made the token, as it says.
        issued: Seconds since 1970. So is `expires`; 0 where the token says none.
        ueid: The device, as it says; empty for none.
        measurement: As it says; empty for none.
    """

    platform: Platform
    raw_report: bytes
    nonce: bytes = b""
    issuer: str = ""
    issued: int = 0
    expires: int = 0
    ueid: bytes = b""
    measurement: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> Token:
        """A token from COSE_Sign1, or from the bare map (RFC 9711 §3; cocos-grpc.md section 8.3).

        Raises:
            InvalidInput: It is neither, is of a platform that is not known here, or has no evidence.
        """
        try:
            claims = _payload(decode_cbor(data))
            platform, report = claims[_PLATFORM_TYPE], claims[_RAW_REPORT]
        except (ValueError, KeyError) as error:
            raise _refusal("this is no token with evidence", "Fetch the evidence again.") from error
        if platform not in tuple(Platform):
            raise _refusal(
                "the token is of a platform that is not known here",
                f"Fetch evidence of one of {', '.join(Platform)}.",
            )
        token = cls(
            Platform(platform),
            report,
            claims.get(_NONCE) or b"",
            claims.get(_ISSUER) or "",
            claims.get(_ISSUED) or 0,
            claims.get(_EXPIRES) or 0,
            claims.get(_UEID) or b"",
            claims.get(_MEASUREMENTS) or b"",
        )
        octets = (token.raw_report, token.nonce, token.ueid, token.measurement)
        numbers = (token.issued, token.expires)
        if not (
            all(isinstance(item, bytes) for item in octets)
            and all(isinstance(item, int) for item in numbers)
            and isinstance(token.issuer, str)
        ):
            raise _refusal("a claim of the token is of another type", "Fetch the evidence again.")
        return token

    def to_bytes(self, signature: bytes = bytes(64)) -> bytes:
        """The token as COSE_Sign1; nobody looks at its signature (RFC 9052 §4.2)."""
        payload = encode_cbor(
            {
                _ISSUER: self.issuer,
                _EXPIRES: self.expires,
                _ISSUED: self.issued,
                _NONCE: self.nonce,
                _UEID: self.ueid or None,
                _MEASUREMENTS: self.measurement or None,
                _PLATFORM_TYPE: str(self.platform),
                _RAW_REPORT: self.raw_report,
            }
        )
        unprotected = {4: self.issuer.encode()}
        return encode_cbor(Tagged(_COSE_SIGN1, [_ES256, unprotected, payload, signature]))


def is_token(data: bytes) -> bool:
    """Whether bytes begin as a token does: COSE_Sign1, or a map (RFC 9052 §4.2)."""
    return bool(data) and (data[0] == _COSE_HEAD or data[0] in _MAP_HEADS)


def _payload(item: Any) -> Mapping[int | str | bytes, Any]:
    match item:
        case Tagged(tag=18, value=[bytes(), dict(), bytes() as payload, bytes()]):
            item = decode_cbor(payload)
        case _:
            pass
    if not isinstance(item, dict):
        raise ValueError("the token is no map")  # noqa: TRY004  # the input is wrong, not a type of ours
    return item


def _refusal(message: str, fix: str) -> InvalidInput:
    return InvalidInput([Finding(path="evidence", message=message, fix=fix)])
