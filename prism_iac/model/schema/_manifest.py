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


_SOURCE: Final = _of(
    {
        "url": {"description": "Where it is; the scheme says how it is asked for.", "type": "string"},
        "kbs_resource_path": {"description": "The key at the key broker.", "type": "string"},
        "encrypted": {"description": "Whether it is encrypted with that key.", "type": "boolean"},
    },
    description="Where the agent fetches it; an upload is awaited unless `kbs` is enabled, too.",
)
_KBS: Final = _of(
    {
        "url": {"description": "The key broker, where there is a key.", "type": "string"},
        "enabled": {"description": "Whether the agent fetches the source.", "type": "boolean"},
    },
    description="The key broker, and the word that makes agents fetch.",
)

MANIFEST_SCHEMA: Final[dict[str, Any]] = {
    "$schema": GenerateJsonSchema.schema_dialect,
    "title": "Runtime manifest",
    **_of(
        {
            "id": {"description": "The id of the computation.", "type": "string"},
            "name": {"description": "The name of the computation.", "type": "string"},
            "description": {"description": "What the computation is for.", "type": "string"},
            "datasets": {
                "description": "What the agent waits for, or fetches, besides the algorithm.",
                "type": "array",
                "items": _of(
                    {
                        "hash": _HASH,
                        "user_key": _USER_KEY,
                        "filename": {
                            "description": "The name that an upload must have, and that it is kept under.",
                            "type": "string",
                        },
                        "source": _SOURCE,
                        "decompress": {
                            "description": "Whether a fetched archive is unpacked.",
                            "type": "boolean",
                        },
                        "kbs": _KBS,
                    },
                    "hash",
                    description="One dataset.",
                ),
            },
            "algorithm": _of(
                {
                    "hash": _HASH,
                    "user_key": _USER_KEY,
                    "source": _SOURCE,
                    "algo_type": {"description": "What runs a fetched algorithm.", "type": "string"},
                    "algo_args": {
                        "description": "The arguments that a fetched algorithm is started with.",
                        "type": "array",
                        "items": {"type": "string"},
                    },
                    "kbs": _KBS,
                },
                "hash",
                description="The algorithm that the agent waits for, or fetches.",
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
