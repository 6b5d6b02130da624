"""CoRIM: one set of reference values about one environment.

What stands beside that, and is not understood here, is refused: it might narrow what the values are for.
Source: draft-ietf-rats-corim §4.1 (corim-map), §5.1 (concise-mid-tag) and §5.1.4 (triples); attestation.md
sections 5.2 and 5.3 for the numbers and for what `cocos-cli` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from prism_iac.attestation._cbor import Tagged, decode_cbor, encode_cbor
from prism_iac.attestation.policy._refusal import refusal

__all__ = ["Corim", "Environment", "MeasuredElement"]

_UNSIGNED_TAG: Final = 501
_COMID_TAG: Final = 506
_URI_TAG: Final = 32
_UUID_TAG: Final = 37
_OID_TAG: Final = 111
_BYTES_TAG: Final = 560
_UUID_BYTES: Final = 16

_CORIM_ID, _CORIM_TAGS, _CORIM_PROFILE = 0, 1, 3
_COMID_IDENTITY, _COMID_TRIPLES = 1, 4


@dataclass(frozen=True, slots=True)
class Environment:
    """What the reference values are about.

    Attributes:
        class_id: A UUID, or the BER of an object identifier.
        instance: A UUID, or plain bytes; None for every instance of the class.
    """

    class_id: UUID | bytes
    instance: UUID | bytes | None = None


@dataclass(frozen=True, slots=True)
class MeasuredElement:
    """One measurement: its key, and the values of its measurement-values-map as CBOR items."""

    key: UUID | int
    values: Mapping[int, Any]


@dataclass(frozen=True, slots=True)
class Corim:
    """A whole file.

    Attributes:
        corim_id: The name of the file.
        tag_id: The name of the set; text, or the 16 bytes of a UUID.
        environment: What it is about.
        elements: The reference values, in their order.
        profile: The URI of the rules that it follows beyond those of CoRIM; None when there are none.
    """

    corim_id: str
    tag_id: str | bytes
    environment: Environment
    elements: tuple[MeasuredElement, ...]
    profile: str | None = None

    def encode(self) -> bytes:
        """The file, unsigned, in deterministic CBOR (RFC 8949 §4.2.1; attestation.md section 5.2)."""
        environment: dict[int, Any] = {0: {0: _tagged(self.environment.class_id, _OID_TAG)}}
        if self.environment.instance is not None:
            environment[1] = _tagged(self.environment.instance, _BYTES_TAG)
        elements = [{0: _key(element.key), 1: element.values} for element in self.elements]
        comid = {_COMID_IDENTITY: {0: self.tag_id}, _COMID_TRIPLES: {0: [[environment, elements]]}}
        corim: dict[int, Any] = {
            _CORIM_ID: self.corim_id,
            _CORIM_TAGS: [encode_cbor(Tagged(_COMID_TAG, comid))],
        }
        if self.profile is not None:
            corim[_CORIM_PROFILE] = [Tagged(_URI_TAG, self.profile)]
        return encode_cbor(corim)

    @classmethod
    def decode(cls, data: bytes) -> Corim:
        """The file in these bytes, bare or with tag 501 (draft-ietf-rats-corim §4.1).

        Raises:
            InvalidInput: It is no CoRIM, has no reference values, or has more than is understood here.
        """
        try:
            return _corim(decode_cbor(data))
        except ValueError as error:
            raise refusal("this is no CoRIM", "Download it again.") from error


def _corim(item: Any) -> Corim:
    if isinstance(item, Tagged) and item.tag == _UNSIGNED_TAG:
        item = item.value
    corim = _map(item, "the CoRIM", {_CORIM_ID, _CORIM_TAGS, _CORIM_PROFILE})
    corim_id = corim.get(_CORIM_ID)
    if not isinstance(corim_id, str):
        raise refusal("the CoRIM has no name")
    tags = corim.get(_CORIM_TAGS)
    if tags is None:
        raise refusal(
            "the CoRIM has no reference values: cocos-cli 0.9 and 0.10 drop measurements of 48 bytes",
            "Make it again with `prism-iac policy create --form corim --measurement HEX`.",
        )
    tag_id, environment, elements = _comid(_only(tags, "tag"))
    return Corim(corim_id, tag_id, environment, elements, _profile(corim.get(_CORIM_PROFILE)))


def _comid(tag: Any) -> tuple[str | bytes, Environment, tuple[MeasuredElement, ...]]:
    item = decode_cbor(tag) if isinstance(tag, bytes) else None
    if not isinstance(item, Tagged) or item.tag != _COMID_TAG:
        raise refusal("the tag of the CoRIM is no CoMID")
    comid = _map(item.value, "the CoMID", {_COMID_IDENTITY, _COMID_TRIPLES})
    identity = _map(comid.get(_COMID_IDENTITY), "the identity of the CoMID", {0, 1})
    tag_id = identity.get(0)
    if not isinstance(tag_id, str | bytes) or identity.get(1, 0) != 0:
        raise refusal("the CoMID has no name that is known here, or a version")
    triples = _map(comid.get(_COMID_TRIPLES), "the triples of the CoMID", {0})
    match _only(triples.get(0), "set of reference values"):
        case [environment, list() as elements]:
            return tag_id, _environment(environment), tuple(map(_element, elements))
    raise refusal("the reference values of the CoMID are not an environment and measurements")


def _environment(item: Any) -> Environment:
    environment = _map(item, "the environment", {0, 1})
    class_map = _map(environment.get(0), "the class of the environment", {0})
    class_id = _untagged(class_map.get(0), _OID_TAG)
    instance = environment.get(1)
    if class_id is None:
        raise refusal("the class of the environment is neither a UUID nor an object identifier")
    if instance is None:
        return Environment(class_id)
    if (found := _untagged(instance, _BYTES_TAG)) is None:
        raise refusal("the instance of the environment is neither a UUID nor bytes")
    return Environment(class_id, found)


def _element(item: Any) -> MeasuredElement:
    element = _map(item, "a measurement", {0, 1})
    key = element.get(0)
    uuid = _untagged(key, _UUID_TAG)
    values = _map(element.get(1), "the values of a measurement", None)
    if isinstance(uuid, UUID):
        return MeasuredElement(uuid, values)
    if isinstance(key, int) and not isinstance(key, bool) and key >= 0:
        return MeasuredElement(key, values)
    raise refusal("the key of a measurement is neither a UUID nor a number")


def _profile(item: Any) -> str | None:
    match item:
        case None:
            return None
        case [Tagged(tag=32, value=str() as uri)] | Tagged(tag=32, value=str() as uri):
            return uri
    raise refusal("the profile of the CoRIM is no URI")


def _map(item: Any, what: str, keys: set[int] | None) -> dict[int, Any]:
    if not isinstance(item, dict) or not all(isinstance(key, int) for key in item):
        raise refusal(f"{what} is no map with numbers as keys")
    if keys is not None and (unknown := sorted(set(item) - keys)):
        raise refusal(f"{what} has a part that is not known here: {', '.join(map(str, unknown))}")
    return item


def _only(items: Any, what: str) -> Any:
    match items:
        case [item]:
            return item
        case list():
            raise refusal(f"the CoRIM has {len(items)} parts where one {what} is expected")
    raise refusal(f"the CoRIM has no {what}")


def _key(key: UUID | int) -> Tagged | int:
    return Tagged(_UUID_TAG, key.bytes) if isinstance(key, UUID) else key


def _tagged(value: UUID | bytes, tag: int) -> Tagged:
    return Tagged(_UUID_TAG, value.bytes) if isinstance(value, UUID) else Tagged(tag, value)


def _untagged(item: Any, tag: int) -> UUID | bytes | None:
    if not isinstance(item, Tagged) or not isinstance(item.value, bytes):
        return None
    if item.tag == _UUID_TAG and len(item.value) == _UUID_BYTES:
        return UUID(bytes=item.value)
    return item.value if item.tag == tag else None
