"""The evidence in an authenticator, and what it says that it is bound to.

Source: cocos-grpc.md section 9.1 (payload JSON).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prism_iac._json import load_json
from prism_iac.agent.atls._channel import EXPORTER_LABEL, Binding
from prism_iac.attestation import Check, Outcome

__all__ = ["Payload"]

_VERSION: Final = 1
_MEDIA_TYPE: Final = "application/eat+cwt"


@dataclass(frozen=True, slots=True)
class Payload:
    """What comes with the certificate.

    Attributes:
        evidence: A token in CBOR.
        label: Of the exporter; may be empty.
        key_hash: As the sender says.
        binding: As the sender says.
    """

    evidence: bytes
    label: str
    key_hash: bytes
    binding: bytes

    @classmethod
    def of(cls, evidence: bytes, binding: Binding) -> Payload:
        """Evidence with what it is bound to."""
        return cls(evidence, EXPORTER_LABEL, binding.key_hash, binding.value)

    @classmethod
    def parse(cls, data: bytes) -> Payload:
        """A payload from its JSON.

        Raises:
            ValueError: It is none, of another version, or of evidence in another form.
        """
        values = load_json(data)
        binder = values.get("binder") if isinstance(values, dict) else None
        if not isinstance(binder, dict):
            raise ValueError("the payload is no map with a binder")  # noqa: TRY004  # the input is wrong, not a type of ours
        if (values.get("version"), values.get("media_type")) != (_VERSION, _MEDIA_TYPE):
            raise ValueError(f"the payload is of another version than {_VERSION}, or not {_MEDIA_TYPE}")
        label = binder.get("exporter_label") or ""
        if not isinstance(label, str):
            raise ValueError("the payload's exporter label is no text")  # noqa: TRY004  # the input is wrong, not a type of ours
        return cls(
            _octets(values, "evidence"), label, _octets(binder, "aik_pub_hash"), _octets(binder, "binding")
        )

    def to_bytes(self) -> bytes:
        """The JSON."""
        return json.dumps(
            {
                "version": _VERSION,
                "media_type": _MEDIA_TYPE,
                "evidence": _b64(self.evidence),
                "binder": {
                    "exporter_label": self.label,
                    "aik_pub_hash": _b64(self.key_hash),
                    "binding": _b64(self.binding),
                },
            },
            separators=(",", ":"),
        ).encode()

    def checks(self, binding: Binding) -> Iterator[Check]:
        """That it says what this connection says."""
        label = self.label or EXPORTER_LABEL
        yield _compare("binder's exporter label", EXPORTER_LABEL, label)
        yield _compare("binder's key hash", binding.key_hash.hex(), self.key_hash.hex())
        yield _compare("binder's binding", binding.value.hex(), self.binding.hex())


def _compare(claim: str, expected: str, found: str) -> Check:
    return Check(claim, Outcome.PASS if expected == found else Outcome.FAIL, expected, found)


def _octets(values: Mapping[str, Any], name: str) -> bytes:
    value = values.get(name)
    if not isinstance(value, str):
        raise ValueError(f"the payload has no {name}")  # noqa: TRY004  # the input is wrong, not a type of ours
    return base64.b64decode(value, validate=True)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
