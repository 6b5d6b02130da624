"""The fields of exchanged documents, in any spelling that the platform or people use (prism-rest.md 3.8, D59)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, model_validator

from prism_iac.model import Action, Checksum, Document, LevelText, Refusal, RemoteSource, parse_pem, shown

__all__ = [
    "NULL_IS_EMPTY",
    "ActionSet",
    "Base64",
    "DigestText",
    "Layout",
    "Level",
    "Moment",
    "OptionalText",
    "PemText",
    "Source",
    "moment_text",
]

ZERO_TIME: Final = "0001-01-01T00:00:00Z"
"""What stands for a time that is not set (D6)."""


class Layout(Document):
    """A part of an exchanged document; names of fields are read in any case (D59)."""

    respelled: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Further names of fields, in lower case, as other interfaces of the platform have them."""

    @model_validator(mode="before")
    @classmethod
    def _respell(cls, value: Any) -> Any:
        return _named(value, {name.lower(): name for name in cls.model_fields} | dict(cls.respelled))


def _named(value: Any, known: Mapping[str, str]) -> Any:
    """A mapping under the known names of its fields, by those names in lower case."""
    if not isinstance(value, Mapping):
        return value
    named: dict[str, Any] = {}
    for key, item in value.items():
        name = known.get(str(key).lower()) or str(key)
        if name in named:
            raise Refusal(f"{shown(name)} is given twice", "Keep one of them.")
        named[name] = item
    return named


def _empty_for_none(value: Any) -> Any:
    return "" if value is None else value


NULL_IS_EMPTY: Final = BeforeValidator(lambda value: () if value is None else value)
"""Reads null as an empty list."""


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else _empty_for_none(value)


OptionalText = Annotated[str, BeforeValidator(_stripped)]
"""A text that may be empty or null."""


Source = Annotated[
    RemoteSource | None,
    BeforeValidator(lambda value: _named(value, {name: name for name in RemoteSource.model_fields})),
]
"""Where agents fetch an asset; None where they wait for an upload."""


def _digest(value: Any) -> Any:
    return None if value in (None, "") else value


DigestText = Annotated[Checksum | None, BeforeValidator(_digest)]
"""A SHA3-256 digest; None where it is not given."""


def _level(value: Any) -> Any:
    return None if value is None or (isinstance(value, str) and not value.strip()) else value


Level = Annotated[LevelText | None, BeforeValidator(_level)]
"""A log level; None for that of the VM (D29)."""


def _pem(value: Any) -> Any:
    text = _stripped(value)
    # What is no PEM text is kept: the platform takes it for a path inside the VM (D27).
    return parse_pem(text) if isinstance(text, str) and "-----BEGIN" in text else text


PemText = Annotated[str, BeforeValidator(_pem)]
"""PEM text in strict form, or a path; empty where it is not given."""


def _moment(value: Any) -> Any:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refusal(f"must be a time, not {shown(value)}", "Write a time such as 2026-01-12T09:41:07Z.")
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refusal(f"{shown(value)} is no time", "Write a time such as 2026-01-12T09:41:07Z.") from error
    return None if moment == datetime.min.replace(tzinfo=UTC) else moment


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
"""A time in UTC; None where it is not set (D6)."""


def moment_text(moment: datetime | None) -> str:
    """A time as the platform writes it."""
    return ZERO_TIME if moment is None else moment.isoformat().replace("+00:00", "Z")


def _base64(value: Any) -> Any:
    if value is None or isinstance(value, bytes):
        return value or b""
    if not isinstance(value, str):
        raise Refusal(f"must be base64 text, not {shown(value)}", "Encode the file with `base64 -w0 FILE`.")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal("is not valid base64", "Encode the file with `base64 -w0 FILE`.") from error


Base64 = Annotated[bytes, BeforeValidator(_base64)]
"""Bytes, base64 in the document."""

_SPELLINGS: Final = {
    **{action.value: action for action in Action},
    "algorithmprovider": Action.ALGO_PROVIDER,
    "datasetprovider": Action.DATASET_PROVIDER,
    "resultconsumer": Action.RESULT_CONSUMER,
    "algoprovider": Action.ALGO_PROVIDER,
}


def _actions(value: Any) -> Any:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        return value
    words = (_SPELLINGS.get(word.strip().lower().replace("-", "_"), word) for word in map(str, value))
    return tuple(sorted(set(words)))


ActionSet = Annotated[tuple[Action, ...], BeforeValidator(_actions)]
"""Exactly the actions that are named, sorted, in the spelling of the wire (D49)."""
