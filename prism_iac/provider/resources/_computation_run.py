"""The resource class of a run."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PrismResource
from prism_iac.provider.dynamic import ComputationRunProvider

__all__ = ["ComputationRun"]


class ComputationRun(PrismResource, module="prism", name="ComputationRun"):
    """A run of a computation on a VM: started when an input changes, at most once for each change.

    The participants upload to the agent while the run waits for them.
    """

    workspace: Output[str]
    """The workspace that the computation is in."""
    computation: Output[str]
    """The id of the computation."""
    vm: Output[str]
    """The id of the VM."""
    number: Output[int]
    """The number of the run within its computation, from 1."""
    status: Output[str]
    """`running`, `completed`, `failed` or `cancelled`."""
    agent_address: Output[str | None]
    """Where participants reach the agent, `host:port`."""
    manifest_sha3_256: Output[str | None]
    """SHA3-256 of the manifest that was run."""
    result_sha3_256: Output[str | None]
    """SHA3-256 of the result archive, where the agent tells it."""
    start_time: Output[str | None]
    """When it began."""
    end_time: Output[str | None]
    """When it ended."""
    events: Output[list[dict[str, str]]]
    """The steps of the run, oldest first."""

    def __init__(
        self,
        resource_name: str,
        *,
        computation: Input[str],
        vm: Input[str],
        triggers: Input[Mapping[str, Input[str]]] | None = None,
        wait: Input[bool] | None = None,
        timeout: Input[str] | None = None,
        stop_on_delete: Input[bool] | None = None,
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a run.

        Args:
            resource_name: The logical name.
            computation: The id of the computation.
            vm: The id of the VM to run on.
            triggers: What the run depends on; a change of any value starts a new run.
            wait: Wait for the end; True when left out.
            timeout: How long to wait; `1h` when left out.
            stop_on_delete: Let a delete stop a run that is going on; otherwise such a delete is refused.
            workspace: The workspace; the provider's when left out.
            opts: Resource options.
        """
        super().__init__(
            ComputationRunProvider(),
            resource_name,
            {
                "workspace": workspace,
                "computation": computation,
                "vm": vm,
                "triggers": triggers,
                "wait": wait,
                "timeout": timeout,
                "stop_on_delete": stop_on_delete,
            },
            outputs=(
                "number",
                "status",
                "agent_address",
                "manifest_sha3_256",
                "result_sha3_256",
                "start_time",
                "end_time",
                "events",
            ),
            deletes_first=True,
            opts=opts,
        )
