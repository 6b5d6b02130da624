"""The schema of `Pulumi.<stack>.yaml`: the keys of this package, and the engine's own beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from prism_iac.model._configuration import CONFIGURATION, ConfigKey
from prism_iac.model.stack._endpoint import ENDPOINT_PATTERN

__all__ = ["configuration_schema"]

_SECURE: Final = {
    "type": "object",
    "properties": {"secure": {"type": "string", "description": "The encrypted value."}},
    "required": ["secure"],
    "additionalProperties": False,
    "description": "An encrypted value, as `pulumi config set --secret` writes it.",
}
_CREDENTIALS: Final = {
    "type": "object",
    "properties": {
        name: {**_SECURE, "description": words}
        for name, words in (("token", "An access token."), ("password", "A password."))
    },
    "minProperties": 1,
    "additionalProperties": False,
}


def configuration_schema() -> dict[str, Any]:
    """The schema."""
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "Configuration of a Pulumi stack",
        "description": "What `pulumi config set` writes: `Pulumi.<stack>.yaml`.",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "description": "Values by key. Those of `prism:` are the provider's, others the program's own.",
                "properties": {f"prism:{name}": _value(name, key) for name, key in CONFIGURATION.items()},
                "patternProperties": {"^(?!prism:)": True},
                "additionalProperties": False,
            },
            "encryptionsalt": {"type": "string", "description": "The salt of the passphrase."},
            "encryptedkey": {"type": "string", "description": "The encrypted key of a secrets provider."},
            "secretsprovider": {
                "type": "string",
                "description": "What encrypts secrets, such as a key service.",
            },
            "environment": {"description": "Environments of Pulumi ESC whose values are taken in."},
        },
        "additionalProperties": False,
    }


def _value(name: str, key: ConfigKey) -> Mapping[str, Any]:
    words = f"{key.words} A stack file says this itself." if key.is_by_stack_file else key.words
    if name == "participants":
        users = {"type": "object", "additionalProperties": _CREDENTIALS}
        return {"anyOf": [_SECURE, users], "description": words, "x-secret": True}
    if key.is_secret:
        return {**_SECURE, "description": f"{words} Set it with `--secret`.", "x-secret": True}
    pattern = {"pattern": ENDPOINT_PATTERN} if name == "endpoint" else {}
    return {"anyOf": [{"type": "string", **pattern}, _SECURE], "description": words}
