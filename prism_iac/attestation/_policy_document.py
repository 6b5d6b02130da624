"""A JSON policy file, kept to the byte unless it is edited.

Source: prism-rest.md section 3.10 and D47; attestation.md section 5.1.
"""

from __future__ import annotations

import base64
import copy
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic.alias_generators import to_camel

from prism_iac.attestation._snp_policy import SnpPolicy
from prism_iac.attestation._tdx_policy import TdxPolicy
from prism_iac.errors import Finding, InvalidInput

__all__ = ["PolicyDocument"]

_TDX_KEYS: Final = frozenset({"headerPolicy", "header_policy", "tdQuoteBodyPolicy", "td_quote_body_policy"})
_LARGEST_EXACT_FLOAT: Final = 2**53
_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """The text of a policy file and what it says.

    Fields that are not known here survive, in their place; so does the order of keys. Two documents are
    equal when their bytes are.
    """

    _data: bytes
    _values: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, data: bytes) -> PolicyDocument:
        """A document from a file's bytes.

        Raises:
            InvalidInput: It is not one JSON object, a key stands in it twice, or it is nested too deeply.
        """
        try:
            values = json.loads(
                data,
                object_pairs_hook=_unique_keys,
                parse_constant=_no_such_number,
                parse_float=_finite,
            )
            json.dumps(values, ensure_ascii=False).encode()  # refuses half characters
        except (ValueError, RecursionError) as error:
            raise _refusal("this is not a JSON policy file", "Download it again.") from error
        if not isinstance(values, dict):
            raise _refusal("a policy file holds one JSON object", "Download it again.")
        if not _is_shallow(values, _DEEPEST):
            raise _refusal(f"the policy is nested deeper than {_DEEPEST}", "Download it again.")
        return cls(data, values)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> PolicyDocument:
        """A document of these values: keys sorted, two spaces, as `cocos-cli` writes policies.

        Whole numbers may come as floats, as the engine sends them.

        Raises:
            InvalidInput: A number is not whole or too large to be exact, or a value is no JSON.
        """
        try:
            text = json.dumps(_whole_numbers(dict(values)), indent=2, sort_keys=True, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise _refusal(
                "the policy cannot be written as JSON", "Use text, numbers, lists and maps."
            ) from error
        return cls.parse(text.encode() + b"\n")

    def to_bytes(self) -> bytes:
        """The file's bytes: those that were read, unless the document was edited."""
        return self._data

    def values(self) -> dict[str, Any]:
        """What the file says, as JSON values of the caller's own."""
        return copy.deepcopy(self._values)

    @property
    def is_tdx(self) -> bool:
        """Whether it is a policy for TDX."""
        policy = self._values.get("policy")
        return isinstance(policy, dict) and not _TDX_KEYS.isdisjoint(policy)

    def policy(self) -> SnpPolicy | TdxPolicy:
        """What it expects, of whichever platform.

        Raises:
            InvalidInput: A field has the wrong type, length or range; with every finding.
        """
        return self.tdx_policy() if self.is_tdx else self.snp_policy()

    def snp_policy(self) -> SnpPolicy:
        """What a policy for SEV-SNP expects (attestation.md section 3.7).

        Raises:
            InvalidInput: It is a policy for TDX, or a field has the wrong type, length or range; with
                every finding.
        """
        if self.is_tdx:
            raise _refusal("this is a policy for TDX, not for SEV-SNP", "Give the policy of the VM.")
        return SnpPolicy.read(self._values)

    def tdx_policy(self) -> TdxPolicy:
        """What a policy for TDX expects (attestation.md section 4.5).

        Raises:
            InvalidInput: It is not a policy for TDX, or a field has the wrong type, length or range; with
                every finding.
        """
        if not self.is_tdx:
            raise _refusal("this is no policy for TDX", "Give the policy of the VM.")
        return TdxPolicy.read(self._values)

    def with_measurement(self, measurement: bytes) -> PolicyDocument:
        """The document with another launch measurement, or MRTD, of 48 bytes; all else stays.

        Raises:
            InvalidInput: The measurement has another length.
        """
        if self.is_tdx:
            return self._with(("policy", "td_quote_body_policy", "mr_td"), measurement, 48)
        return self._with(("policy", "measurement"), measurement, 48)

    def with_host_data(self, host_data: bytes) -> PolicyDocument:
        """The document with other host data, 32 bytes; all else stays.

        Raises:
            InvalidInput: The host data has another length, or the policy is for TDX, which has none.
        """
        if self.is_tdx:
            raise _refusal("policies for TDX have no host data", "Set mrConfigId instead.")
        return self._with(("policy", "host_data"), host_data, 32)

    def with_fields(self, section: str | tuple[str, ...], fields: Mapping[str, Any]) -> PolicyDocument:
        """The document with other JSON values for fields of a section, by their names in snake case.

        Args:
            section: Such as `policy` or `acceptance`, or the way to one.
            fields: The values; None removes a field.

        Raises:
            InvalidInput: The section is no object.
        """
        return self._edited((section,) if isinstance(section, str) else section, fields)

    def _with(self, path: tuple[str, ...], value: bytes, size: int) -> PolicyDocument:
        *sections, name = path
        if len(value) != size:
            raise _refusal(f"{name} has {size} bytes, not {len(value)}", "Give the raw bytes.")
        return self._edited(tuple(sections), {name: base64.b64encode(value).decode("ascii")})

    def _edited(self, path: tuple[str, ...], fields: Mapping[str, Any]) -> PolicyDocument:
        values = self.values()
        section = values
        for step in path:
            section = section.setdefault(_spelling(step, section), {})
            if not isinstance(section, dict):
                raise _refusal(f"`{step}` is not an object", "Download the file again.")
        for name, value in fields.items():
            key = _spelling(name, section)
            if value is None:
                section.pop(key, None)
            else:
                section[key] = value
        data = json.dumps(values, indent=2, ensure_ascii=False).encode() + b"\n"
        return PolicyDocument(data, values)


def _refusal(message: str, fix: str) -> InvalidInput:
    return InvalidInput([Finding(path="policy", message=message, fix=fix)])


def _spelling(name: str, section: Mapping[str, Any]) -> str:
    """The file's own; that of protojson when the field is not there yet."""
    return name if name in section else to_camel(name)


def _is_shallow(value: Any, depth: int) -> bool:
    match value:
        case dict():
            return depth > 0 and all(_is_shallow(item, depth - 1) for item in value.values())
        case list():
            return depth > 0 and all(_is_shallow(item, depth - 1) for item in value)
        case _:
            return True


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return values


def _no_such_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _whole_numbers(value: Any) -> Any:
    match value:
        case Mapping():
            return {str(key): _whole_numbers(item) for key, item in value.items()}
        case list() | tuple():
            return [_whole_numbers(item) for item in value]
        case float() if not value.is_integer() or abs(value) > _LARGEST_EXACT_FLOAT:
            raise _refusal(f"the number {value} is not exact", 'Write 64-bit numbers as text: "196608".')
        case float():
            return int(value)
        case _:
            return value
