"""One handler per resource kind, imported when its kind is first served."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from prism_iac.lifecycle._handler import Handler

__all__ = ["HANDLERS"]

_MODULES: Final = {
    "Computation": "_computation",
    "Asset": "_asset",
    "Participant": "_participant",
    "PublicKey": "_public_key",
    "ConfidentialVM": "_confidential_vm",
    "CertificateBundle": "_certificate_bundle",
    "AttestationPolicy": "_attestation_policy",
    "ComputationRun": "_computation_run",
}


class _Handlers(Mapping[str, Handler[Any]]):
    def __getitem__(self, kind: str) -> Handler[Any]:
        return _handler(kind)

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


@cache
def _handler(kind: str) -> Handler[Any]:
    module = import_module(f"{__name__}.{_MODULES[kind]}")
    handler: Handler[Any] = getattr(module, f"{kind}Handler")()
    return handler


HANDLERS: Final = _Handlers()
"""Every handler by the name of its kind."""
