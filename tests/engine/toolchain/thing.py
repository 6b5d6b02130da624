"""A dynamic resource whose object is a file; a test writes this module into its project."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

Props = dict[str, Any]


class ThingProvider(ResourceProvider):
    serialize_as_secret_always = False

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(replaces=["kind"] if olds["kind"] != news["kind"] else [])

    def create(self, props: Props) -> CreateResult:
        if props["word"] == "refused":
            raise RuntimeError("this word is refused")
        file = Path(props["file"])
        file.write_text(props["word"])
        deadline = time.monotonic() + props["seconds"]
        while time.monotonic() < deadline:
            time.sleep(0.05)
        return CreateResult(props["file"], _outputs(props))

    def read(self, id_: str, props: Props) -> ReadResult:
        file = Path(id_)
        if not file.exists():
            return ReadResult("", {})
        inputs = {key: props[key] for key in ("file", "kind", "seconds")} | {"word": file.read_text()}
        return ReadResult(id_, _outputs(inputs), inputs)

    def update(self, id_: str, _olds: Props, news: Props) -> UpdateResult:
        Path(id_).write_text(news["word"])
        return UpdateResult(_outputs(news))

    def delete(self, id_: str, _props: Props) -> None:
        Path(id_).unlink(missing_ok=True)


def _outputs(props: Props) -> Props:
    return {**props, "length": len(props["word"])}


class Thing(Resource, module="test", name="Thing"):
    length: pulumi.Output[int]
    word: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        word: pulumi.Input[str],
        kind: str = "plain",
        seconds: float = 0,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        file = str(Path(f"{name}-{kind}.txt").absolute())
        props = {"file": file, "word": word, "kind": kind, "seconds": seconds, "length": None}
        super().__init__(ThingProvider(), name, props, opts)
