"""The component of the package: a stack file, for programs in any language."""

from __future__ import annotations

import asyncio
from typing import Any

from pulumi import Inputs, ResourceOptions, RunError
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2

from prism_iac._engine import STACK_FILE_TYPE
from prism_iac._version import __version__
from prism_iac.errors import Finding, InvalidInput
from prism_iac.provider._declare import native_face
from prism_iac.provider._stack_file import StackFile

__all__ = ["construct"]


class _Components(Provider):
    """Makes the component; the SDK does the protocol's part of it."""

    def __init__(self) -> None:
        super().__init__(version=__version__)

    def construct(
        self, name: str, resource_type: str, inputs: Inputs, options: ResourceOptions | None = None
    ) -> ConstructResult:
        path = inputs.get("path")
        if resource_type != STACK_FILE_TYPE or not isinstance(path, str):
            raise InvalidInput(
                [Finding(path=f"{name}.path", message="must be the path of a stack file, known at once")]
            )
        with native_face():
            stack = StackFile(path, name=name, opts=options)
        return ConstructResult(urn=stack.urn, state=stack.outputs)


def construct(
    request: provider_pb2.ConstructRequest, context: Any, *, engine_address: str
) -> provider_pb2.ConstructResponse:
    """Declare what a stack file says, as resources of this plugin.

    Raises:
        InvalidInput: The path is none, or the file is not valid.
    """
    servicer = ProviderServicer(_Components(), [], engine_address)
    try:
        return asyncio.run(servicer._construct(request, context))  # noqa: SLF001  # the SDK's own way, less its tracebacks
    except RunError as error:
        raise InvalidInput([Finding(path=request.name, message=str(error))]) from None
