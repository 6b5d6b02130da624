"""How one expectation of a policy is written as a measurement of a CoRIM.

Source: attestation.md sections 5.3 (the keys of values) and 5.4 (the keys of measurements, of the profile of
AMD's draft). Values are as in canonical JSON: 64-bit numbers as text, bytes as base64.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prism_iac.attestation._cbor import Tagged
from prism_iac.attestation.policy._refusal import refusal

__all__ = ["MEASUREMENT", "SNP_ELEMENTS", "SVN", "Element", "digest_of", "exact_svn", "svn_of", "with_digest"]

SVN: Final = 1
"""The key of a security version number among values."""
_DIGESTS: Final = 2
_RAW_VALUE: Final = 4
_RAW_INT: Final = 15

_SVN_TAG: Final = 552
_MINIMUM_SVN_TAG: Final = 553
_BYTES_TAG: Final = 560
_SHA_384: Final = 7
_DIGEST_BYTES: Final = 48

Values = Mapping[int, Any]


@dataclass(frozen=True, slots=True)
class Element:
    """One expectation.

    Attributes:
        field: Its name in `policy`.
        key: The measurement's.
        write: Its values for what the JSON says.
        read: What the JSON says for its values; raises `InvalidInput`.
        is_cocos: Whether the reader of `cocos-cli` takes it; one that it does not makes it skip all others.
    """

    field: str
    key: int
    write: Callable[[Any], Values]
    read: Callable[[Values], Any]
    is_cocos: bool = True


def with_digest(value: str) -> Values:
    """A digest of SHA-384, from base64 (attestation.md section 5.2: algorithm 7)."""
    return {_DIGESTS: [[_SHA_384, base64.b64decode(value)]]}


def digest_of(values: Values) -> str:
    """The one digest of SHA-384 among the values, as base64 (attestation.md sections 5.2 and 5.3).

    Raises:
        InvalidInput: There is none, there are several, or it is of another algorithm or length.
    """
    match values.get(_DIGESTS):
        case [[7, bytes() as digest]] if len(digest) == _DIGEST_BYTES:
            return base64.b64encode(digest).decode("ascii")
        case [[int() as algorithm, bytes() as digest]]:
            raise refusal(
                f"a measurement is a digest of {len(digest)} bytes under algorithm {algorithm}; launch "
                f"measurements have {_DIGEST_BYTES} under algorithm {_SHA_384}, SHA-384"
            )
    raise refusal("a measurement of the CoRIM does not have one digest")


def exact_svn(number: int) -> Values:
    """A version as `cocos-cli` writes it beside the launch measurement (attestation.md section 5.2)."""
    return {SVN: Tagged(_SVN_TAG, number)}


def svn_of(value: Any, *, is_minimum: bool) -> int:
    """A security version number, exact or the least (attestation.md section 5.3, tags 552 and 553).

    Raises:
        InvalidInput: It is something else.
    """
    match value:
        case Tagged(tag=tag, value=int() as number) if tag == (_MINIMUM_SVN_TAG if is_minimum else _SVN_TAG):
            if not isinstance(number, bool) and number >= 0:
                return number
        case Tagged(tag=552):
            raise refusal(
                "a version must be exactly one; policies know only the least", "Use tag 553 for it."
            )
    raise refusal("a security version number of the CoRIM cannot be read")


def _bytes(field: str, key: int) -> Element:
    def write(value: Any) -> Values:
        return {_RAW_VALUE: Tagged(_BYTES_TAG, base64.b64decode(value))}

    def read(values: Values) -> str:
        return base64.b64encode(_raw(values)).decode("ascii")

    return Element(field, key, write, read)


def _bits(field: str, key: int) -> Element:
    def write(value: Any) -> Values:
        return {_RAW_VALUE: Tagged(_BYTES_TAG, int(value).to_bytes(8, "little"))}

    def read(values: Values) -> str:
        return str(int.from_bytes(_raw(values), "little"))

    return Element(field, key, write, read)


def _minimum(field: str, key: int, form: Callable[[int], Any]) -> Element:
    def write(value: Any) -> Values:
        return {SVN: Tagged(_MINIMUM_SVN_TAG, int(value))}

    def read(values: Values) -> Any:
        return form(svn_of(_alone(values, SVN), is_minimum=True))

    return Element(field, key, write, read)


def _number(field: str, key: int) -> Element:
    def write(value: Any) -> Values:
        return {_RAW_INT: value}

    def read(values: Values) -> int:
        number = _alone(values, _RAW_INT)
        if not isinstance(number, int) or isinstance(number, bool):
            raise refusal("a raw number of the CoRIM is none")
        return number

    return Element(field, key, write, read, is_cocos=False)


def _digest(field: str, key: int) -> Element:
    def read(values: Values) -> str:
        _alone(values, _DIGESTS)
        return digest_of(values)

    return Element(field, key, with_digest, read)


def _raw(values: Values) -> bytes:
    match _alone(values, _RAW_VALUE):
        case Tagged(tag=560, value=bytes() as raw):
            return raw
    raise refusal("a raw value of the CoRIM is no tagged bytes")


def _alone(values: Values, key: int) -> Any:
    if list(values) != [key]:
        raise refusal(
            f"a measurement of the CoRIM has other values than {key}: {', '.join(map(str, values))}"
        )
    return values[key]


MEASUREMENT: Final = _digest("measurement", 641)
"""The launch measurement, wherever it stands."""

SNP_ELEMENTS: Final = (
    _minimum("minimumGuestSvn", 1, int),
    _bits("policy", 2),
    _bytes("familyId", 3),
    _bytes("imageId", 4),
    _number("vmpl", 5),
    _bits("platformInfo", 7),
    _bytes("reportData", 640),
    MEASUREMENT,
    # The draft gives host data the form of a SHA-384 digest, which its 32 bytes do not have.
    _bytes("hostData", 642),
    _bytes("reportId", 645),
    _bytes("reportIdMa", 646),
    _minimum("minimumTcb", 647, str),
    _bytes("chipId", 3328),
    _minimum("minimumLaunchTcb", 3968, str),
)
"""The expectations that have a measurement of their own (attestation.md section 5.4).

Versions have none here: the draft knows them as equal, policies as least ones.
"""
