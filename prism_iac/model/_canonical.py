"""Canonical forms: one spelling for each value, so that a re-spelling is never a change.

Every type here accepts what people and peers write and holds what the package stores. Validation is
idempotent: a canonical value is its own canonical form.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import date, timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator

from prism_iac.model._form import Form
from prism_iac.model._names import (
    COMPUTATION_ROLES,
    Action,
    AlgorithmRuntime,
    AssetKind,
    LogLevel,
    Platform,
    VmProvider,
)
from prism_iac.model._refusal import Refusal
from prism_iac.model._unknown import contains_unknown
from prism_iac.model._words import shown

__all__ = [
    "ACTION_WORDS",
    "ActionSet",
    "Address",
    "AssetKindText",
    "Checksum",
    "Day",
    "DnsName",
    "Duration",
    "IpAddress",
    "LaunchDigest",
    "LevelText",
    "Pem",
    "PlatformText",
    "ProviderText",
    "RuntimeText",
    "Text",
    "UniqueTexts",
    "UniqueUsers",
    "User",
    "WholeNumber",
    "address_of",
    "parse_duration",
    "parse_pem",
]


def _require_text(value: str) -> str:
    if not value.strip():
        raise Refusal("must not be empty", "Write a text.")
    return value.strip()


Text = Annotated[str, AfterValidator(_require_text), Form("text", {"minLength": 1})]
"""Text with something in it, without white space around it."""


def _canonical_user(value: str) -> str:
    return value.lower() if "@" in value else value


User = Annotated[Text, AfterValidator(_canonical_user), Form("user")]
"""A Prism user: an email address (lower case), a user name or a user id."""


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool):
        raise Refusal(f"must be a whole number, not {shown(value)}", "Write a number such as 4.")
    # The engine sends every number as a double.
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = Annotated[int, BeforeValidator(_whole_number), Form("number")]
"""A whole number; `4.0` is 4."""


def _unique_sorted(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


UniqueTexts = Annotated[tuple[Text, ...], AfterValidator(_unique_sorted)]
"""A set of texts, kept sorted: order and repetition mean nothing."""

UniqueUsers = Annotated[tuple[User, ...], AfterValidator(_unique_sorted)]
"""A set of users, kept sorted."""


_SHA3_256_HEX: Final = re.compile(r"[0-9a-f]{64}")


def _canonical_checksum(value: str) -> str:
    text = value.strip().lower()
    if not _SHA3_256_HEX.fullmatch(text):
        raise Refusal(
            "must be a SHA3-256 digest: 64 hexadecimal characters",
            "Compute it with `openssl dgst -sha3-256 FILE`.",
        )
    return text


Checksum = Annotated[
    str, AfterValidator(_canonical_checksum), Form("SHA3-256", {"pattern": "^[0-9a-fA-F]{64}$"})
]
"""A SHA3-256 digest as 64 lower-case hexadecimal characters (D25)."""


_LAUNCH_DIGEST_BYTES: Final = 48


def _canonical_launch_digest(value: str) -> str:
    text = value.strip()
    for read in (bytes.fromhex, _strict_base64):
        try:
            data = read(text)
        except ValueError:
            continue
        if len(data) == _LAUNCH_DIGEST_BYTES:
            return data.hex()
    raise Refusal(
        f"must be a launch measurement of {_LAUNCH_DIGEST_BYTES} bytes, hexadecimal or base64",
        "Compute it with `prism-iac measure`.",
    )


def _strict_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


LaunchDigest = Annotated[str, AfterValidator(_canonical_launch_digest), Form("launch measurement")]
"""The launch measurement of SEV-SNP, or MRTD, as 96 lower-case hexadecimal characters; base64 is read, too."""


def _canonical_day(value: str) -> str:
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError as error:
        raise Refusal(f"{shown(value)} is no day", "Write a day such as 2027-01-31.") from error


Day = Annotated[str, AfterValidator(_canonical_day), Form("day", {"format": "date"})]
"""A day in UTC, such as `2027-01-31`."""


_PEM_BLOCK: Final = re.compile(
    r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----\s*(?P<body>[A-Za-z0-9+/=\s]+?)\s*-----END (?P=label)-----"
)


def parse_pem(value: str) -> str:
    """PEM text in strict form (RFC 7468 section 3); text between blocks is dropped.

    Raises:
        Refusal: It holds no PEM block, or one that is no base64.
    """
    blocks = list(_PEM_BLOCK.finditer(value))
    if not blocks:
        raise Refusal(
            "must be PEM text, beginning with -----BEGIN", "Convert it with `openssl`, or give another file."
        )
    return "".join(_pem_block(block["label"], block["body"]) for block in blocks)


def _pem_block(label: str, body: str) -> str:
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error as error:
        raise Refusal(f"the {label} block is not valid base64", "Copy the file again.") from error
    text = base64.b64encode(der).decode("ascii")
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


Pem = Annotated[str, AfterValidator(parse_pem), Form("PEM", {"pattern": "-----BEGIN "})]
"""One or more PEM blocks in strict form (RFC 7468 section 3); text between blocks is dropped."""


_DURATION_UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(\d+)([dhms])")


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `365d`, `1h30m` or `90s`.

    Raises:
        Refusal: The text is not a sequence of whole numbers with the units d, h, m, s.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise Refusal(f"{shown(text)} is no duration", "Write a duration such as 365d, 12h or 1h30m.")
    return timedelta(seconds=sum(int(number) * _DURATION_UNITS[unit] for number, unit in parts))


def _canonical_duration(value: str) -> str:
    seconds = int(parse_duration(value).total_seconds())
    parts = []
    for unit, size in _DURATION_UNITS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    str, AfterValidator(_canonical_duration), Form("duration", {"pattern": r"^\s*(\d+[dhms])+\s*$"})
]
"""A duration with the units d, h, m and s, largest unit first."""


def _canonical_level(value: Any) -> Any:
    text = value.strip().lower() if isinstance(value, str) else value
    return "warn" if text == "warning" else text


LevelText = Annotated[LogLevel, BeforeValidator(_canonical_level)]
"""A log level in any case; `warning` is `warn` (D29)."""


def _canonical_platform(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip().lower().replace(" ", "-").replace("_", "-")
    text = text.removeprefix("amd-").removeprefix("intel-")
    return "sev-snp" if text == "snp" else text


PlatformText = Annotated[Platform, BeforeValidator(_canonical_platform)]
"""A TEE platform in any documented spelling (D34)."""


def _canonical_provider(value: Any) -> Any:
    text = value.strip().lower() if isinstance(value, str) else value
    return "ultraviolet" if text == "manager" else text


ProviderText = Annotated[VmProvider, BeforeValidator(_canonical_provider)]
"""A VM provider; `manager` is `ultraviolet` (D33)."""


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


AssetKindText = Annotated[AssetKind, BeforeValidator(_lower)]
"""`algorithm` or `dataset`, in any case (D30)."""

RuntimeText = Annotated[AlgorithmRuntime, BeforeValidator(_lower)]
"""`python`, `bin` or `wasm`, in any case."""

DnsName = Annotated[Text, AfterValidator(str.lower), Form("DNS name")]
"""A DNS name, lower case."""


def _canonical_ip(value: str) -> str:
    try:
        return str(ip_address(value.strip()))
    except ValueError as error:
        raise Refusal(f"{shown(value)} is no IP address", "Put host names under `dns_names`.") from error


IpAddress = Annotated[
    str,
    AfterValidator(_canonical_ip),
    Form("IP address", {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]
"""An IPv4 or IPv6 address in its shortest form (RFC 5952)."""

_ADDRESS: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+):([1-9]\d{0,4})")
_PORTS: Final = 1 << 16


def _canonical_address(value: str) -> str:
    match = _ADDRESS.fullmatch(text := value.strip().lower())
    if match is None or int(match[2]) >= _PORTS:
        raise Refusal(f"{shown(value)} is not host:port", "Write it like lab.example.com:7020.")
    return text


Address = Annotated[
    str, AfterValidator(_canonical_address), Form("host:port", {"pattern": r"^\s*\S+:\d{1,5}\s*$"})
]
"""A host and a port; an IPv6 address in brackets."""


def address_of(host: str, port: int) -> str:
    """`host:port`, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_ACTION_ALIASES: Final = {
    **COMPUTATION_ROLES,
    "algorithmprovider": COMPUTATION_ROLES["algo_provider"],
    "datasetprovider": COMPUTATION_ROLES["dataset_provider"],
    "resultconsumer": COMPUTATION_ROLES["result_consumer"],
}


def _canonical_actions(value: Any) -> Any:
    if not isinstance(value, list | tuple | set | frozenset) or contains_unknown(value):
        return value
    actions: set[Action | str] = {Action.VIEW}
    for item in value:
        name = str(item).strip().lower()
        actions |= _ACTION_ALIASES.get(
            name.replace("-", "_"), _ACTION_ALIASES.get(name.replace("_", ""), {name})
        )
    return tuple(sorted(actions))


ACTION_WORDS: Final = tuple(sorted({*Action, *COMPUTATION_ROLES}))
"""Every word that stands for actions on a computation: the actions and the built-in roles."""

ActionSet = Annotated[
    tuple[Action, ...],
    BeforeValidator(_canonical_actions),
    Form("list of actions", {"items": {"type": "string", "enum": list(ACTION_WORDS)}}),
]
"""Actions on a computation, sorted, `view` always among them; a role's name stands for its actions (D49)."""
