"""The JSON Schema of a runtime manifest, which Prism makes and nobody writes by hand.

Source: prism-rest.md section 3.9; cocos-grpc.md section 4.3.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

__all__ = ["MANIFEST_SCHEMA"]

_HASH: Final = {
    "description": "SHA3-256 of the plain bytes.",
    "type": "array",
    "items": {"type": "integer", "minimum": 0, "maximum": 255},
    "minItems": 32,
    "maxItems": 32,
}
_USER_KEY: Final = {
    "description": "The participant's public key: PKIX DER, base64.",
    "type": "string",
    "contentEncoding": "base64",
}


def _of(properties: dict[str, Any], *required: str, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(required),
    }


MANIFEST_SCHEMA: Final[dict[str, Any]] = {
    "$schema": GenerateJsonSchema.schema_dialect,
    "title": "Runtime manifest",
    **_of(
        {
            "id": {"description": "The id of the computation.", "type": "string"},
            "name": {"description": "The name of the computation.", "type": "string"},
            "description": {"description": "What the computation is for.", "type": "string"},
            "datasets": {
                "description": "What the agent waits for besides the algorithm.",
                "type": "array",
                "items": _of(
                    {
                        "hash": _HASH,
                        "user_key": _USER_KEY,
                        "filename": {"description": "The name that the upload must have.", "type": "string"},
                    },
                    "hash",
                    description="One dataset.",
                ),
            },
            "algorithm": _of(
                {"hash": _HASH, "user_key": _USER_KEY},
                "hash",
                description="The algorithm that the agent waits for.",
            ),
            "result_consumers": {
                "description": "Who may fetch the result.",
                "type": "array",
                "items": _of({"user_key": _USER_KEY}, description="One result consumer."),
            },
        },
        "algorithm",
        description="What an agent runs. Empty fields are left out; unknown ones are ignored.",
    ),
}
"""Open to unknown fields, as agents are."""
