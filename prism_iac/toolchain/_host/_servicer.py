# ruff: noqa: N802  # the protocol names the methods
"""The calls of `pulumirpc.LanguageRuntime`, `proto/pulumi/language.proto` of Pulumi 3.259."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from prism_iac.toolchain._host._dependencies import install_dependencies, installed_packages, python_version
from prism_iac.toolchain._host._interpreter import Refused
from prism_iac.toolchain._host._programs import Programs
from prism_iac.toolchain._host._project import Project, plugin_command, program_command

__all__ = ["LanguageHost"]

# Whether the program failed, by the code it ended with: 32 when it has told the user what is wrong, None
# when the user had it ended.
_NOTHING_TO_ADD: Final[Mapping[int | None, bool]] = {0: False, 32: True, None: True}

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs programs and plugins; what it does not implement is answered with UNIMPLEMENTED.

    Args:
        engine_address: Where programs reach the engine, `host:port`.
    """

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        self._programs = Programs()

    async def end_programs(self) -> None:
        """End the programs that run; plugins are ended by the engine, after their last call."""
        await self._programs.end_all()

    async def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, _: Context
    ) -> language_pb2.LanguageHandshakeResponse:
        """Learn the address of the engine, when it attaches to a host that it did not start."""
        self._engine_address = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    async def GetPluginInfo(self, _request: Empty, _: Context) -> plugin_pb2.PluginInfo:
        """Say that the host has no version of its own."""
        return plugin_pb2.PluginInfo()

    async def GetRequiredPackages(
        self, _request: language_pb2.GetRequiredPackagesRequest, _: Context
    ) -> language_pb2.GetRequiredPackagesResponse:
        """Ask for no plugin in advance: each resource names the one it needs."""
        return language_pb2.GetRequiredPackagesResponse()

    async def GetRequiredPlugins(
        self, _request: language_pb2.GetRequiredPluginsRequest, _: Context
    ) -> language_pb2.GetRequiredPluginsResponse:
        """Ask for no plugin in advance; the older form of the question."""
        return language_pb2.GetRequiredPluginsResponse()

    async def Run(self, request: language_pb2.RunRequest, _: Context) -> language_pb2.RunResponse:
        """Run a program for one preview or update; what it prints is shown as it comes."""
        try:
            command = program_command(request, self._engine_address)
        except Refused as refusal:
            return language_pb2.RunResponse(error=str(refusal))
        code = await self._programs.run(command)
        if code in _NOTHING_TO_ADD:
            return language_pb2.RunResponse(bail=_NOTHING_TO_ADD[code])
        return language_pb2.RunResponse(error=f"the program ended with code {code}")

    async def Cancel(self, _request: Empty, _: Context) -> Empty:
        """End the program that runs, if one does."""
        await self.end_programs()
        return Empty()

    async def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: Context
    ) -> AsyncGenerator[language_pb2.RunPluginResponse, None]:
        """Run a plugin until the engine ends the call; gives what it says, and its exit code."""
        async with _refusing(context), aclosing(plugin_command(request).output()) as parts:
            async for part in parts:
                if isinstance(part, int):
                    yield language_pb2.RunPluginResponse(exitcode=part)
                elif part.is_error:
                    yield language_pb2.RunPluginResponse(stderr=part.data)
                else:
                    yield language_pb2.RunPluginResponse(stdout=part.data)

    async def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: Context
    ) -> AsyncGenerator[language_pb2.InstallDependenciesResponse, None]:
        """Install what the program needs; gives what pip says."""
        async with _refusing(context), aclosing(install_dependencies(Project.of(request.info))) as chunks:
            async for chunk in chunks:
                if chunk.is_error:
                    yield language_pb2.InstallDependenciesResponse(stderr=chunk.data)
                else:
                    yield language_pb2.InstallDependenciesResponse(stdout=chunk.data)

    async def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: Context
    ) -> language_pb2.GetProgramDependenciesResponse:
        """Tell what is installed for the program."""
        async with _refusing(context):
            packages = await installed_packages(
                Project.of(request.info), transitive=request.transitiveDependencies
            )
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=version) for name, version in packages.items()
            ]
        )

    async def About(self, request: language_pb2.AboutRequest, context: Context) -> language_pb2.AboutResponse:
        """Tell which Python runs the program."""
        async with _refusing(context):
            project = Project.of(request.info)
            executable = project.python().arguments[0]
            version = await python_version(project)
        return language_pb2.AboutResponse(executable=executable, version=version)


@asynccontextmanager
async def _refusing(context: Context) -> AsyncIterator[None]:
    """Answer a refusal as an error of the call."""
    try:
        yield
    except Refused as refusal:
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(refusal))
