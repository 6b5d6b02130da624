"""The secrets that a stack file refers to, fetched when its resources are declared and kept secret from then on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pulumi
from pulumi import Output
from pulumi.runtime import is_config_secret

from prism_iac.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.model.stack import SecretSource
    from prism_iac.spec import Stack

__all__ = ["require_secrets", "secret_of"]


def require_secrets(stack: Stack) -> None:
    """Check that every secret is there.

    Raises:
        InvalidInput: With a finding for each that is missing, or that lies in the configuration in clear.
    """
    findings = [
        Finding(*stack.origin(*location), ".".join(location), message, fix)
        for item in stack.certificates.values()
        for field, source in item.secrets.items()
        for location in [("certificates", item.name, "files", field)]
        for message, fix in _refused(source)
    ]
    if findings:
        raise InvalidInput(findings)


def secret_of(source: SecretSource) -> Output[str]:
    """The secret; it is there."""
    if source.kind == "env":
        return Output.secret(os.environ[source.name])
    namespace, name = _key(source)
    return pulumi.Config(namespace).require_secret(name)


def _refused(source: SecretSource) -> Iterator[tuple[str, str]]:
    if source.kind == "env":
        if not os.environ.get(source.name):
            yield f"the environment has no {source.name}", f"Set it: `export {source.name}=...`."
        return
    namespace, name = _key(source)
    fix = f"Run `pulumi config set --secret {source.name}`, which asks for it."
    if pulumi.Config(namespace).get_secret(name) is None:
        yield f"the configuration of this Pulumi stack has no {source.name}", fix
    elif not is_config_secret(f"{namespace}:{name}"):
        yield f"{source.name} is not secret in the configuration of this Pulumi stack", fix


def _key(source: SecretSource) -> tuple[str, str]:
    namespace, _, name = source.name.rpartition(":")
    return namespace or pulumi.get_project(), name
