"""The one way to write a policy's values: that of `cocos-cli`, with nothing lost.

Source: attestation.md sections 3.7 (protojson) and 5.1 (`pcr_values`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from pydantic.alias_generators import to_camel

from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._policy_values import PRODUCT_NAMES, TdxVendor
from prism_iac.attestation._snp_policy import PolicySection
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._tcb import Tcb

__all__ = ["canonical_policy"]

_PCR_VALUES: Final = "pcr_values"
_AS_TEXT: Final = frozenset({"policy", "platform_info"})
"""The 64-bit numbers; those of TCBs have a type of their own."""
_TOLD_WHEN_ZERO: Final = frozenset({"vmpl", "platform_info", "stepping", "machine_stepping"})
"""The numbers whose zero says something: elsewhere a least value of zero is met by everything."""
_CERTIFICATES: Final = frozenset({"trusted_author_keys", "trusted_id_keys"})
_NAMES: Final = {product: name for name, product in PRODUCT_NAMES.items()}


def canonical_policy(document: PolicyDocument) -> PolicyDocument:
    """The same expectations in the spelling and order that `cocos-cli` writes (attestation.md section 5.1).

    Fields that expect nothing are left out; unknown ones stay as they are.

    Raises:
        InvalidInput: A field has the wrong type, length or range; with every finding.
    """
    policy = document.policy()
    values = _section(policy, document.values())
    if document.is_tdx:
        # Its sections are what tells a policy for TDX.
        sections = values.setdefault("policy", {})
        if "headerPolicy" not in sections:
            sections.setdefault("tdQuoteBodyPolicy", {})
    else:
        values[_PCR_VALUES] = {"sha1": None, "sha256": None, "sha384": None} | values.get(_PCR_VALUES, {})
    text = json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False)
    return PolicyDocument.parse(text.encode() + b"\n")


def _section(section: PolicySection, raw: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: to_camel(name) for name in type(section).model_fields}
    known = {*fields, *fields.values()}
    values = {key: value for key, value in raw.items() if key not in known}
    for name, camel in fields.items():
        value = _value(name, getattr(section, name), raw.get(name, raw.get(camel)))
        if value not in (None, "", [], {}):
            values[_PCR_VALUES if name == _PCR_VALUES else camel] = value
    return values


def _value(name: str, value: Any, raw: Any) -> Any:  # noqa: PLR0911  # one for each type of field
    match value:
        case PolicySection():
            return _section(value, raw or {})
        case bool():
            return value or None
        case int() if value or name in _TOLD_WHEN_ZERO:
            return str(value) if name in _AS_TEXT else value
        case int() | TdxVendor.INTEL:
            return None
        case Product():
            return _NAMES[value] if name == "name" else value.value
        case Tcb():
            return str(value.to_int()) if any(value.parts) else None
        case tuple() if name == "minimum_version":
            return "{}.{}".format(*value)
        case tuple() if name in _CERTIFICATES:
            return [_octets(base64.b64decode(text)) for text in raw or ()]
        case _:
            return _octets(value)


def _octets(value: Any) -> Any:
    """Bytes, lists and maps of them, dates; anything else as it is."""
    match value:
        case date():
            return value.isoformat()
        case dict() if all(isinstance(item, date) for item in value.values()):
            return {name: _octets(day) for name, day in sorted(value.items())}
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case dict():
            return {str(number): digest.hex() for number, digest in sorted(value.items())}
        case tuple():
            items = ["" if item is None else _octets(item) for item in value]
            return items if any(items) else None
        case _:
            return value
