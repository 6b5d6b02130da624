"""The names in a CoRIM, and what they mean. Source: attestation.md sections 5.2 and 5.4."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

from prism_iac.attestation._policy_values import PRODUCT_NAMES

__all__ = [
    "AMD_PROFILE",
    "BY_CHIP",
    "LAUNCH_KEY",
    "PRODUCT_INSTANCES",
    "REGISTER_KEYS",
    "REMAINDER_KEY",
    "CorimNames",
    "Platform",
    "compact",
    "names_of",
]

AMD_PROFILE: Final = "tag:amd.com,2025:snp-corim-profile"
"""The profile of AMD's draft (attestation.md section 5.4)."""

BY_CHIP: Final = bytes.fromhex("06092b060104019c780301")
"""1.3.6.1.4.1.3704.3.1, in the profile: the class of guests whose reports a chip's own key signs."""

PRODUCT_INSTANCES: Final = {
    name: uuid5(NAMESPACE_OID, product.value) for name, product in PRODUCT_NAMES.items()
}
"""The instances that stand for products, by the products' names in policy files (attestation.md section 5.2)."""

LAUNCH_KEY: Final = uuid5(NAMESPACE_OID, "MEASUREMENT")
"""Where `cocos-cli` has a random key."""

REGISTER_KEYS: Final = tuple(
    uuid5(NAMESPACE_OID, name) for name in ("MRTD", "MRSEAM", "RTMR0", "RTMR1", "RTMR2", "RTMR3")
)
"""In the order of `cocos-cli`, which has random keys there."""

REMAINDER_KEY: Final = uuid5(NAMESPACE_OID, "prism-iac policy")
"""The measurement that carries, as canonical JSON, what has no measurement of its own."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What a CoRIM of `cocos-cli` is about.

    Attributes:
        prefix: How names begin.
        class_id: The environment's class, where `cocos-cli` has a random one.
    """

    prefix: str
    class_id: UUID

    @classmethod
    def of(cls, *, is_tdx: bool) -> Platform:
        """The platform of a policy."""
        return _TDX if is_tdx else _SNP


_SNP: Final = Platform("snp", uuid5(NAMESPACE_OID, "SEV-SNP"))
_TDX: Final = Platform("tdx", uuid5(NAMESPACE_OID, "TDX"))


@dataclass(frozen=True, slots=True)
class CorimNames:
    """The names in a CoRIM; they say nothing of what is expected.

    Attributes:
        corim_id: The file's; without a profile it begins with the platform and a hyphen.
        tag_id: The set's; text, or the 16 bytes of a UUID.
        class_id: The environment's class; None for the one of the platform.
        launch_key: The key of the launch measurement of SEV-SNP; None for `LAUNCH_KEY`.
    """

    corim_id: str
    tag_id: str | bytes
    class_id: UUID | None = None
    launch_key: UUID | None = None


def names_of(values: Mapping[str, Any], platform: Platform) -> CorimNames:
    """Names made from what a policy says, so that equal policies are equal files (attestation.md section 5.2)."""
    name = uuid5(NAMESPACE_OID, compact(values).decode())
    return CorimNames(f"{platform.prefix}-corim-{name}", f"{platform.prefix}-tag-{name}")


def compact(values: Mapping[str, Any]) -> bytes:
    """JSON without white space, its keys sorted (RFC 8259)."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
