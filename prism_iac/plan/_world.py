"""Whether the world moved since a plan was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from prism_iac._engine import SIGNATURE
from prism_iac.model import sha3_256
from prism_iac.plan._plan import ResourceChange, World

__all__ = ["digest_of_changes", "digest_of_files", "digest_of_state", "moved"]

_MOVES: Final = {
    "state": "the state: another update was made since",
    "stack_file": "the stack file or the stack's configuration",
    "program": "the program, or the version of prism-iac",
    "changes": "what the update would do",
}
"""What a digest that differs says."""

_OF_A_MACHINE: Final = frozenset({"sourcePosition", "stackTrace"})
"""What state says of where a resource was declared, which differs between checkouts."""


def moved(planned: World, found: World) -> tuple[str, ...]:
    """What differs between what a plan was made from and what is there; empty when nothing does."""
    return tuple(words for name, words in _MOVES.items() if getattr(planned, name) != getattr(found, name))


def digest_of_changes(changes: Iterable[ResourceChange]) -> str:
    """The digest of what would be done: neither of words, nor of what moves on with the day.

    Fingerprints of secrets are those of one checkout, so that a secret differs is all that counts here: the
    old one is in state, and the new one in the configuration or a file that another input tells of.
    """
    told = [
        [
            change.effect,
            change.urn,
            change.renews,
            [
                [item.path, item.secret, *(() if item.secret else (item.old, item.new))]
                for item in change.fields
            ],
        ]
        for change in changes
    ]
    return _digest(sorted(told, key=lambda item: str(item[1])))


def digest_of_state(deployment: Mapping[str, Any]) -> str:
    """The digest of an exported state, in which no secret takes part: each change of one has its time there.

    Args:
        deployment: That of `pulumi stack export`, secrets encrypted or shown.
    """
    resources = deployment.get("resources") or []
    return _digest(
        [
            {name: _masked(value) for name, value in item.items() if name not in _OF_A_MACHINE}
            for item in resources
        ]
    )


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return None if SIGNATURE in value else {name: _masked(item) for name, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def digest_of_files(files: Mapping[str, bytes]) -> str:
    """The digest of files by their names; empty where there are none."""
    return _digest({name: sha3_256(content).hex() for name, content in files.items()}) if files else ""


def _digest(value: Any) -> str:
    return sha3_256(json.dumps(value, sort_keys=True).encode()).hex()
