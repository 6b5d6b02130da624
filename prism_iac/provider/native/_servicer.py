"""Serves the calls of the engine's provider protocol (`pulumirpc.ResourceProvider`)."""

# ruff: noqa: N802  # the names of the calls are the protocol's

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import ResourceProviderServicer, plugin_pb2, provider_pb2

from prism_iac._version import __version__
from prism_iac.errors import Finding, InvalidInput, PartialResult
from prism_iac.model import CONFIGURATION, UNKNOWN
from prism_iac.model.wire import camel
from prism_iac.provider._deployment import Deployment, deployment_for
from prism_iac.provider._identity import identity_stem
from prism_iac.provider._message import message_of
from prism_iac.provider._partial import init_failed
from prism_iac.provider._service import Actual, Service
from prism_iac.provider.native._answers import Kept, answered
from prism_iac.provider.native._difference import leaves_that_differ
from prism_iac.provider.native._kind import Kind
from prism_iac.provider.native._serving import Interruption, serving
from prism_iac.provider.native._told import Told
from prism_iac.provider.native._values import from_struct, to_struct

__all__ = ["PrismServicer"]


@dataclass(frozen=True, slots=True)
class _Config:
    """The provider's inputs under the keys of the stack's configuration."""

    values: Mapping[str, Any]

    def get(self, key: str) -> Any:
        return self.values.get(key.removeprefix("prism:"))


class PrismServicer(ResourceProviderServicer):
    """One plugin process: one configuration, every kind of resource.

    Args:
        engine_address: Where the engine takes what people are told; empty when nobody does.
    """

    def __init__(self, engine_address: str) -> None:
        self._told = Told(engine_address)
        self._interruption = Interruption()
        self._deployment: Deployment | None = None
        self._kinds: dict[str, Kind] = {}
        self._construction = threading.Lock()

    @answered
    def Handshake(
        self, _request: Any, _context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    @answered
    def Attach(self, request: plugin_pb2.PluginAttach, _context: grpc.ServicerContext) -> Empty:
        self._told = Told(request.address)
        return Empty()

    @answered
    def GetPluginInfo(self, _request: Any, _context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=__version__)

    @answered
    def GetSchema(self, _request: Any, _context: grpc.ServicerContext) -> provider_pb2.GetSchemaResponse:
        from prism_iac.provider.native._schema import package_schema

        return provider_pb2.GetSchemaResponse(schema=json.dumps(package_schema()))

    @answered
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    @answered
    def DiffConfig(
        self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        olds, news = from_struct(request.olds), from_struct(request.news)
        changed = [name for name, _ in leaves_that_differ(olds, news) if name != "version"]
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
        )

    @answered
    def Configure(
        self, request: provider_pb2.ConfigureRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        given = from_struct(request.args)
        known = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in given.items()
            if value is not UNKNOWN and name in CONFIGURATION
        }
        self._deployment = deployment_for(
            _Config(known), report=self._told.line, pause=self._interruption.pause
        )
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @answered
    def Check(
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        kind = self._kind(request.urn)
        # The identity of what was recorded stays; a new object's comes from the URN.
        wanted = {**kind.plain(request.news), "identity": identity_stem(request.urn)}
        try:
            with serving(request.urn):
                inputs = kind.service.check(_name(request.urn), wanted, kind.plain(request.olds))
        except InvalidInput as error:
            # An empty property: the engine would print the value of a named one, secrets included.
            failures = [
                provider_pb2.CheckFailure(property="", reason=str(finding)) for finding in error.findings
            ]
            return provider_pb2.CheckResponse(inputs=request.news, failures=failures)
        return provider_pb2.CheckResponse(inputs=kind.struct(inputs, request.news))

    @answered
    def Diff(
        self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        kind = self._kind(request.urn)
        state, inputs = kind.plain(request.olds), kind.plain(request.news)
        with serving(request.urn):
            difference, is_told_by_inputs = kind.service.diff(
                _name(request.urn), state, inputs, kind.plain(request.old_inputs)
            )
        if not difference.changed and is_told_by_inputs:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            diffs=[camel(name) for name in difference.changed],
            replaces=[camel(name) for name in difference.replaces],
            stables=[camel(name) for name in kind.lasting],
            deleteBeforeReplace=kind.service.handler.replaces_by_deleting_first,
            hasDetailedDiff=True,
            detailedDiff=kind.detail(difference, state, inputs),
        )

    @answered
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        kind = self._kind(request.urn)
        inputs = kind.plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(
                properties=kind.struct(kind.previewed(inputs, {}), request.properties)
            )
        with serving(request.urn, seconds=request.timeout):
            try:
                made = kind.service.create(_name(request.urn), inputs)
            except PartialResult as error:
                _keep_object(error, kind, request.properties, context)
        return provider_pb2.CreateResponse(
            id=made.id, properties=kind.struct(made.properties, request.properties)
        )

    @answered
    def Read(
        self, request: provider_pb2.ReadRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        kind, name = self._kind(request.urn), _name(request.urn)
        state = kind.plain(request.properties)
        with serving(request.urn, seconds=request.timeout):
            actual: Actual | None
            if "identity" in state:
                actual = kind.service.read(name, request.id, state, kind.plain(request.inputs))
            else:
                actual = kind.service.take_over(name, request.id, f"{identity_stem(request.urn)}.0")
        if actual is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=actual.id,
            properties=kind.struct(actual.properties, request.properties),
            inputs=kind.struct(actual.inputs, request.inputs, request.properties),
        )

    @answered
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        kind = self._kind(request.urn)
        state, inputs = kind.plain(request.olds), kind.plain(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(
                properties=kind.struct(kind.previewed(inputs, state), request.news)
            )
        with serving(request.urn, seconds=request.timeout):
            try:
                updated = kind.service.update(_name(request.urn), request.id, state, inputs)
            except PartialResult as error:
                _keep_object(error, kind, request.news, context)
        return provider_pb2.UpdateResponse(properties=kind.struct(updated.properties, request.news))

    @answered
    def Delete(self, request: provider_pb2.DeleteRequest, _context: grpc.ServicerContext) -> Empty:
        kind = self._kind(request.urn)
        with serving(request.urn, seconds=request.timeout):
            kind.service.delete(_name(request.urn), request.id, kind.plain(request.properties))
        return Empty()

    @answered
    def Construct(
        self, request: provider_pb2.ConstructRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConstructResponse:
        from prism_iac.provider.native._component import construct

        with self._construction:  # the SDK keeps the surroundings of a program in one place
            return construct(request, context, engine_address=self._told.address)

    @answered
    def Invoke(
        self, request: provider_pb2.InvokeRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        from prism_iac.provider.native._functions import FUNCTIONS

        name = request.tok.rpartition(":")[2]
        if name not in FUNCTIONS:
            raise InvalidInput([Finding(path=name, message="is no function of this package")])
        try:
            with serving(""):
                found = FUNCTIONS[name](self._configured(), from_struct(request.args))
        except InvalidInput as error:
            failures = [
                provider_pb2.CheckFailure(property=finding.path, reason=str(finding))
                for finding in error.findings
            ]
            return provider_pb2.InvokeResponse(failures=failures)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(found))  # a word of Python's
        return response

    @answered
    def Cancel(self, _request: Any, _context: grpc.ServicerContext) -> Empty:
        self._interruption.come()
        return Empty()

    def _configured(self) -> Deployment:
        assert self._deployment is not None, "the engine configures a provider first"
        return self._deployment

    def _kind(self, urn: str) -> Kind:
        kind = _token(urn).rpartition(":")[2]
        if kind not in self._kinds:
            self._kinds[kind] = Kind(Service.of(kind, self._configured()))
        return self._kinds[kind]


def _keep_object(error: PartialResult, kind: Kind, inputs: Struct, context: grpc.ServicerContext) -> NoReturn:
    reason = message_of(error)
    context.set_trailing_metadata(
        init_failed(error.id, properties=kind.struct(error.state, inputs), inputs=inputs, reason=reason)
    )
    raise Kept(reason)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _token(urn: str) -> str:
    """The type token of a URN: the last of the chain of parents' types."""
    return urn.split("::")[2].rpartition("$")[2]
