"""How a plan shows a value: short, on one line, and nothing of a secret but a fingerprint."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prism_iac.model import Unknown, sha3_256
from prism_iac.plan._preview import Secret, plain

__all__ = ["KNOWN_AFTER", "Shower"]

KNOWN_AFTER: Final = "(known after "
"""How a value begins that a preview does not know."""

_LONGEST: Final = 160
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Shower:
    """Shows the values of one plan.

    Attributes:
        salt: Keys the fingerprints of secrets, so that nobody finds a weak one by trying.
        names: What people call an object, by its id.
    """

    salt: bytes = field(repr=False)
    names: Mapping[str, str]

    def __call__(self, value: Any, *, is_secret: bool = False, source: str = "") -> str:
        """A value for people.

        Args:
            value: Plain, or with secrets in it.
            is_secret: Whether the field is secret, whatever the engine says.
            source: Names what a value that is not known yet comes from.
        """
        if isinstance(value, Unknown):
            return f"{KNOWN_AFTER}{source or 'the update'})"
        if isinstance(value, Secret) or is_secret:
            return self._fingerprint(plain(value))
        if isinstance(value, str):
            return self._text(self.names.get(value, value))
        return self._text(json.dumps(self._named(value), ensure_ascii=False, sort_keys=True))

    def _fingerprint(self, value: Any) -> str:
        told = json.dumps(value, sort_keys=True, default=str).encode()
        return f"secret {hmac.new(self.salt, told, hashlib.sha3_256).hexdigest()[:_DIGITS]}"

    def _named(self, value: Any) -> Any:
        match value:
            case Secret():
                return self._fingerprint(plain(value))
            case Unknown():
                return self(value)
            case str():
                return self.names.get(value, value)
            case Mapping():
                return {name: self._named(item) for name, item in value.items()}
            case list():
                return [self._named(item) for item in value]
        return value

    def _text(self, text: str) -> str:
        """A text on one line; a long one is its first line and its digest."""
        if len(text) <= _LONGEST and "\n" not in text:
            return text
        head = text.partition("\n")[0]
        digest = sha3_256(text.encode()).hex()[:_DIGITS]
        return f"{head[:60]}… ({len(text)} characters, SHA3-256 {digest}…)"
