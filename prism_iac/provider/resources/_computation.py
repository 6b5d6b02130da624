"""The resource class of a computation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PrismResource
from prism_iac.provider.dynamic import ComputationProvider

__all__ = ["AgentConfigArgs", "Computation"]


class AgentConfigArgs(TypedDict, total=False):
    """How the agent in the VM logs and is secured."""

    tls: Input[str]
    """`none`, `tls`, `mtls`, `atls` or `matls`; follows from the files when it is left out."""
    log_level: Input[str]
    """`debug`, `info`, `warn` or `error`; the VM's own level when left out."""
    cert_file: Input[str]
    """The agent's certificate, PEM."""
    server_key: Input[str]
    """The agent's private key, PEM; kept as a secret."""
    server_ca_file: Input[str]
    """The CA that verifies the agent's certificate, PEM."""
    client_ca_file: Input[str]
    """The CA that verifies the participants' certificates, PEM."""
    attested_tls: Input[bool]
    """Whether evidence travels in the handshake; follows from `tls` when it is left out."""


class Computation(PrismResource, module="prism", name="Computation"):
    """A confidential computation: who brings what, who reads the result, how the agent is secured.

    Its algorithm, datasets and result consumers give the participants their roles and link the assets. All
    of it is frozen while a run is going on.
    """

    workspace: Output[str]
    """The workspace that the computation is in."""
    name: Output[str]
    """The name, unique in the workspace."""
    description: Output[str]
    """What the computation is for."""
    algorithm: Output[str | None]
    """The id of the algorithm asset."""
    datasets: Output[list[str]]
    """The ids of the dataset assets."""
    result_consumers: Output[list[str]]
    """The users who may fetch the result."""
    agent: Output[dict[str, object]]
    """How the agent is configured."""
    owner: Output[str]
    """The id of the user who owns the computation."""
    status: Output[str]
    """`executable`, `running`, `completed`, `failed` or `cancelled`, as of the last read."""
    manifest: Output[str | None]
    """The runtime manifest as canonical JSON; complete once every participant's key is registered."""
    manifest_sha3_256: Output[str | None]
    """SHA3-256 of the manifest."""

    def __init__(  # the inputs of the kind
        self,
        resource_name: str,
        *,
        description: Input[str],
        name: Input[str] | None = None,
        algorithm: Input[str] | None = None,
        datasets: Input[Sequence[Input[str]]] | None = None,
        result_consumers: Input[Sequence[Input[str]]] | None = None,
        agent: Input[AgentConfigArgs] | Input[Mapping[str, Input[object]]] | None = None,
        stop_on_delete: Input[bool] | None = None,
        export_directory: Input[str] | None = None,
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a computation.

        Args:
            resource_name: The logical name.
            description: What the computation is for.
            name: The name in the workspace; the logical name when left out.
            algorithm: The id of the algorithm asset.
            datasets: The ids of the dataset assets.
            result_consumers: The users who may fetch the result: email, user name or id.
            agent: How the agent in the VM logs and is secured.
            stop_on_delete: Let a delete stop a run that is going on; otherwise such a delete is refused.
            export_directory: Where a delete writes the definition first; `.prism/exports` when left out.
            workspace: The workspace; the provider's when left out.
            opts: Resource options.
        """
        super().__init__(
            ComputationProvider(),
            resource_name,
            {
                "workspace": workspace,
                "name": name,
                "description": description,
                "algorithm": algorithm,
                "datasets": datasets,
                "result_consumers": result_consumers,
                "agent": _with_secret_key(agent),
                "stop_on_delete": stop_on_delete,
                "export_directory": export_directory,
            },
            outputs=("owner", "status", "manifest", "manifest_sha3_256"),
            deletes_first=True,
            opts=opts,
        )


def _with_secret_key(
    agent: Input[Mapping[str, Input[object]]] | None,
) -> Input[Mapping[str, Input[object]]] | None:
    if isinstance(agent, Mapping) and "server_key" in agent:
        return {**agent, "server_key": Output.secret(agent["server_key"])}
    return agent
