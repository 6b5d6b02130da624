"""The runtime manifest of a computation: what an agent runs, and its canonical bytes.

Two of its values belong to one deployment: the id, and the mark at the end of the description. Without them it
is what every deployment of one definition has in common, and known before anything exists.

Source: cocos-grpc.md section 4.3; prism-rest.md section 3.9 and D26.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast
from uuid import UUID, uuid5

from prism_iac._json import load_json
from prism_iac.errors import Finding, InvalidInput
from prism_iac.model._digest import sha3_256
from prism_iac.model._mark import mark_of, marked, unmarked
from prism_iac.model._names import AlgorithmRuntime
from prism_iac.model._remote import RemoteSource

__all__ = ["Manifest", "ManifestAlgorithm", "ManifestDataset", "computation_id_of"]

_COMPUTATIONS: Final = UUID("30cfd779-a964-5980-a464-a681123ddb66")
"""The space of the ids of computations that are made under a key."""


def computation_id_of(workspace_alias: str, idempotency_key: str) -> str:
    """The id that the embedded Prism gives a computation which is created under a key.

    It is a UUID of version 5, so that a manifest is known before its computation exists.
    """
    return str(uuid5(_COMPUTATIONS, f"{workspace_alias}\n{idempotency_key}"))


@dataclass(frozen=True, slots=True)
class ManifestDataset:
    """One dataset that the agent waits for.

    Attributes:
        hash: SHA3-256 of the plain bytes, 32 bytes.
        user_key: The provider's public key, PKIX DER.
        filename: The name that the upload must have.
        source: Where the agent fetches it; None when it waits for an upload.
    """

    hash: bytes
    user_key: bytes
    filename: str = ""
    source: RemoteSource | None = None


@dataclass(frozen=True, slots=True)
class ManifestAlgorithm:
    """The algorithm that the agent waits for; fields as in `ManifestDataset`."""

    hash: bytes
    user_key: bytes
    source: RemoteSource | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of one computation.

    Attributes:
        result_consumers: The public keys, PKIX DER, of those who may fetch the result.
    """

    id: str
    name: str
    description: str
    algorithm: ManifestAlgorithm
    datasets: tuple[ManifestDataset, ...] = ()
    result_consumers: tuple[bytes, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The manifest as JSON values, keys in the agent's order, empty fields left out (except hashes)."""
        return _without_empty(
            {
                "id": self.id,
                "name": self.name,
                "description": self.description,
                "datasets": [_dataset(dataset) for dataset in self.datasets],
                "algorithm": _algorithm(self.algorithm),
                "result_consumers": [
                    _without_empty({"user_key": _b64(key)}) for key in self.result_consumers
                ],
            }
        )

    def canonical_bytes(self) -> bytes:
        """The bytes that are hashed: compact JSON with the escapes that Go's encoder writes."""
        text = json.dumps(self.to_json(), separators=(",", ":"), ensure_ascii=False)
        for character, escape in _GO_ESCAPES.items():
            text = text.replace(character, escape)
        return text.encode()

    def digest(self) -> bytes:
        """SHA3-256 of the canonical bytes, 32 bytes."""
        return sha3_256(self.canonical_bytes())

    def in_order(self) -> Manifest:
        """The same manifest, its datasets by file name and its consumers by key, whatever linked them first."""
        return replace(
            self,
            datasets=tuple(
                sorted(self.datasets, key=lambda item: (item.filename.encode(), item.hash, item.user_key))
            ),
            result_consumers=tuple(sorted(self.result_consumers)),
        )

    def portable(self) -> Manifest:
        """What it has in common with every deployment of the same definition: no id, no mark, in order."""
        return replace(self.in_order(), id="", description=unmarked(self.description)[0])

    def deployed(self, identity: str, *, workspace_alias: str) -> Manifest:
        """A portable manifest as the embedded Prism keeps it once the computation of an identity exists."""
        return replace(
            self.in_order(),
            id=computation_id_of(workspace_alias, mark_of(identity)),
            description=marked(self.description, identity),
        )

    @classmethod
    def from_json(cls, document: object) -> Manifest:
        """Read a manifest as Prism returns it, decoded; unknown keys are dropped.

        Raises:
            InvalidInput: It is none.
        """
        try:
            fields = _mapping(document)
            return cls(
                id=_text(fields, "id"),
                name=_text(fields, "name"),
                description=_text(fields, "description"),
                algorithm=ManifestAlgorithm(**_read_item(_mapping(fields["algorithm"]))),
                datasets=tuple(
                    ManifestDataset(**_read_item(item), filename=_text(item, "filename"))
                    for item in _items(fields, "datasets")
                ),
                result_consumers=tuple(_key(item) for item in _items(fields, "result_consumers")),
            )
        except (LookupError, TypeError, ValueError) as error:
            raise _no_manifest() from error

    @classmethod
    def parse(cls, text: str | bytes) -> Manifest:
        """Read a manifest from its JSON.

        Raises:
            InvalidInput: It is none.
        """
        try:
            return cls.from_json(load_json(text))
        except ValueError as error:
            raise _no_manifest() from error


def _no_manifest() -> InvalidInput:
    return InvalidInput(
        [
            Finding(
                message="this is no runtime manifest",
                fix="Give the JSON that `prism-iac computations manifest` prints.",
            )
        ]
    )


_GO_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", [], {}, False, None)}


def _dataset(dataset: ManifestDataset) -> dict[str, Any]:
    remote = dataset.source
    return {"hash": list(dataset.hash)} | _without_empty(
        {
            "user_key": _b64(dataset.user_key),
            "filename": dataset.filename,
            "source": _source(remote),
            "decompress": remote is not None and remote.decompress,
            "kbs": _kbs(remote),
        }
    )


def _algorithm(algorithm: ManifestAlgorithm) -> dict[str, Any]:
    remote = algorithm.source
    return {"hash": list(algorithm.hash)} | _without_empty(
        {
            "user_key": _b64(algorithm.user_key),
            "source": _source(remote),
            "algo_type": remote.runtime if remote is not None else None,
            "algo_args": [*remote.arguments] if remote is not None else [],
            "kbs": _kbs(remote),
        }
    )


def _source(remote: RemoteSource | None) -> dict[str, Any]:
    """Without the kind, which agents do not keep (cocos-grpc.md section 4.1)."""
    if remote is None:
        return {}
    return _without_empty(
        {
            "url": remote.url,
            "kbs_resource_path": remote.kbs_resource_path,
            "encrypted": remote.encrypted,
        }
    )


def _kbs(remote: RemoteSource | None) -> dict[str, Any]:
    """Enabled for every source: that is what makes an agent fetch it, with or without a key."""
    return {} if remote is None else _without_empty({"url": remote.kbs_url, "enabled": True})


def _read_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"hash": _hash(item), "user_key": _key(item), "source": _read_source(item)}


def _read_source(item: Mapping[str, Any]) -> RemoteSource | None:
    source, kbs = _mapping(item.get("source") or {}), _mapping(item.get("kbs") or {})
    if not (source.get("url") and kbs.get("enabled")):
        return None
    # Another Prism may name what this package would not declare; a digest is taken of what it says.
    return RemoteSource.model_construct(
        url=_text(source, "url"),
        encrypted=source.get("encrypted") is True,
        kbs_url=_text(kbs, "url") or None,
        kbs_resource_path=_text(source, "kbs_resource_path") or None,
        decompress=item.get("decompress") is True,
        runtime=cast("AlgorithmRuntime | None", _text(item, "algo_type") or None),
        arguments=tuple(_checked_text(argument) for argument in _list(item, "algo_args")),
    )


def _hash(item: Mapping[str, Any]) -> bytes:
    # A number would be taken for a length.
    if not isinstance(item["hash"], list):
        raise TypeError("a hash is a list of numbers")
    return bytes(item["hash"])


def _key(item: Mapping[str, Any]) -> bytes:
    return base64.b64decode(_text(item, "user_key"))


def _items(fields: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    return map(_mapping, _list(fields, name))


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields.get(name) or []
    if not isinstance(value, list):
        raise TypeError(f"{name} is no list")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("not an object")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    return _checked_text(fields.get(name) or "")


def _checked_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()  # half characters have no canonical bytes
    return value
