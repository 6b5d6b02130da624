"""Secrets by reference: a stack file says where one is, never what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, cast

__all__ = ["SECRET_FIELDS", "SecretSource", "mentions_secret", "parse_secret"]

SECRET_FIELDS: Final = ("passphrase", "server_key", "client_key")
"""The fields of brought files that a secret may stand for."""

_SOURCE: Final = re.compile(r"\$\{secret\.(config|env)\.([A-Za-z0-9_][A-Za-z0-9_.:-]*)\}")


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is when resources are declared.

    Attributes:
        kind: `config`, the configuration of the Pulumi stack, or `env`, the environment.
        name: A key of the configuration, the project's own where it names no namespace; or a variable.
    """

    kind: Literal["config", "env"]
    name: str


def mentions_secret(text: str) -> bool:
    """Whether a text has a reference to a secret in it, well written or not."""
    return "${secret." in text


def parse_secret(text: str) -> SecretSource | None:
    """The source that `${secret.config.NAME}` or `${secret.env.NAME}` names; None for any other text."""
    found = _SOURCE.fullmatch(text.strip())
    return SecretSource(cast("Literal['config', 'env']", found[1]), found[2]) if found else None
