"""The engine's own words: how its state, plans and protocol mark values, and how the types of resources are called.

Source: pulumi-provider.md sections 1 and 5; pulumi/pulumi: sdk/go/common/resource/sig.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "DYNAMIC_TYPES",
    "NATIVE_TYPES",
    "PROVIDER_KEY",
    "PROVIDER_TYPES",
    "SECRET_MARK",
    "SIGNATURE",
    "STACK_FILE_TYPE",
    "UNKNOWN_TEXT",
]

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The key by which a mapping is something else than a mapping, above all a secret."""

SECRET_MARK: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # the protocol's mark of a secret
"""What that key has in a secret."""

UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The text that stands for a value that is not known before the update."""

PROVIDER_KEY: Final = "__provider"
"""The property in which the SDK keeps the pickled provider of a dynamic resource; no property of ours."""

DYNAMIC_TYPES: Final = "pulumi-python:dynamic/prism:"
"""What the type tokens of our dynamic resources begin with."""

NATIVE_TYPES: Final = "prism:index:"
"""What those of the native plugin begin with."""

PROVIDER_TYPES: Final = "pulumi:providers:"
"""What those of providers begin with."""

STACK_FILE_TYPE: Final = f"{NATIVE_TYPES}StackFile"
"""The component that a stack file is, at both faces."""
