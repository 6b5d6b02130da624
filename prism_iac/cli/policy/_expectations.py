"""Options of `prism-iac policy` as fields of a policy."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import typer

from prism_iac.errors import Finding, InvalidInput

__all__ = [
    "HOST_DATA_BYTES",
    "MEASUREMENT_BYTES",
    "apply",
    "as_base64",
    "changes",
    "octets",
    "product_fields",
    "wrong",
]

HOST_DATA_BYTES: Final = 32
MEASUREMENT_BYTES: Final = 48

_PLACES: Final[Mapping[bool, Mapping[str, tuple[str, ...]]]] = {
    False: {
        "measurement": ("policy.measurement",),
        "host_data": ("policy.hostData",),
        "policy": ("policy.policy",),
        "svn": ("policy.minimumGuestSvn",),
        "product": ("policy.product.name", "rootOfTrust.product", "rootOfTrust.productLine"),
        "launch_tcb": ("policy.minimumLaunchTcb",),
    },
    True: {
        "measurement": ("policy.tdQuoteBodyPolicy.mrTd",),
        "mr_seam": ("policy.tdQuoteBodyPolicy.mrSeam",),
        "rtmrs": ("policy.tdQuoteBodyPolicy.rtmrs",),
    },
}
"""Where each option stands in a policy, by whether it is for TDX."""


def changes(fields: Mapping[str, Any], settings: Iterable[str], *, is_tdx: bool) -> Iterator[tuple[str, Any]]:
    """Which fields of a policy get which values.

    Args:
        fields: The options by name; None where one is not given.
        settings: Those of `--set`.
        is_tdx: Whether the policy is for TDX.
    """
    places = _PLACES[is_tdx]
    for name, value in fields.items():
        if value is None:
            continue
        if name not in places:
            option = f"--{name.replace('_', '-')}"
            raise typer.BadParameter(
                f"policies for {'TDX' if is_tdx else 'SEV-SNP'} have none", param_hint=option
            )
        for place in places[name]:
            yield place, value[place] if isinstance(value, dict) else value
    for setting in settings:
        field, separator, text = setting.partition("=")
        if not separator or not all(field.split(".")):
            raise typer.BadParameter(f"{setting!r} is not FIELD=VALUE", param_hint="--set")
        yield field, _json_or_text(text)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text, parse_float=str)  # 1.55 is a version; policies have no fractions
    except (ValueError, RecursionError):
        return text


def apply(values: dict[str, Any], wanted: Iterable[tuple[str, Any]]) -> None:
    """Set fields of a policy's values.

    Raises:
        InvalidInput: A field lies inside one that is no object.
    """
    for field, value in wanted:
        *sections, name = field.split(".")
        place = values
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise wrong("--set", f"{section} of {field} is not an object", "Name a field of the policy.")
        place[name] = value


def product_fields(name: str | None) -> dict[str, str] | None:
    """What stands in a policy for a product, by its places."""
    if name is None:
        return None
    return {
        "policy.product.name": f"SEV_PRODUCT_{name.upper()}",
        "rootOfTrust.product": name,
        "rootOfTrust.productLine": name,
    }


def octets(text: str, size: int, where: str) -> bytes:
    """Bytes in hexadecimal or base64, whichever has the right length.

    Raises:
        InvalidInput: Neither has.
    """
    for decode in (bytes.fromhex, lambda value: base64.b64decode(value, validate=True)):
        try:
            data = decode(text.strip())
        except ValueError:
            continue
        if len(data) == size:
            return data
    raise wrong(where, f"this is not {size} bytes in base64 or hexadecimal", "Copy the whole value.")


def as_base64(text: str | None, size: int, where: str) -> str | None:
    """Such bytes in base64, as policies have them; None for None."""
    return None if text is None else base64.b64encode(octets(text, size, where)).decode("ascii")


def wrong(path: str, message: str, fix: str) -> InvalidInput:
    """One finding about an option."""
    return InvalidInput([Finding(path=path, message=message, fix=fix)])
