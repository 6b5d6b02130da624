"""A run of a computation: started when its triggers change, at most once for each."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from prism_iac.model._canonical import Checksum, Duration, Text, WholeNumber
from prism_iac.model._change import COMPUTED, IN_PLACE, REPLACE
from prism_iac.model._document import Document
from prism_iac.model._names import ComputationStatus
from prism_iac.model.resources._base import InWorkspace

__all__ = ["ComputationRun", "RunEvent"]


class RunEvent(Document):
    """One step of a run, as the agent told it."""

    event_type: Annotated[str, COMPUTED]
    """The phase that the agent was in."""

    status: Annotated[str, COMPUTED]
    """How far it had come in that phase."""

    timestamp: Annotated[str, COMPUTED]
    """When, RFC 3339."""


class ComputationRun(InWorkspace):
    """One run of a computation on a VM (prism-rest.md section 4.4, D18 to D20).

    A change of any input starts a new run. A repeat of a create that was cut off finds the run that it
    had started.
    """

    kind: ClassVar[str] = "ComputationRun"

    computation: Annotated[Text, REPLACE]
    """The id of the computation."""

    vm: Annotated[Text, REPLACE]
    """The id of the VM to run on."""

    triggers: Annotated[dict[str, str], REPLACE] = Field(default_factory=dict)
    """What the run depends on; a change of any value starts a new run."""

    wait: Annotated[bool, IN_PLACE] = True
    """Whether to wait for the end, with every upload that this takes."""

    timeout: Annotated[Duration, IN_PLACE] = "1h"
    """How long to wait for the end."""

    stop_on_delete: Annotated[bool, IN_PLACE] = False
    """Whether a delete stops a run that is going on; without it such a delete is refused."""

    number: Annotated[WholeNumber | None, COMPUTED] = None
    """The number of the run within its computation, from 1."""

    status: Annotated[ComputationStatus | None, COMPUTED] = None
    """The state at the last read."""

    agent_address: Annotated[str | None, COMPUTED] = None
    """Where participants reach the agent, `host:port`."""

    manifest_sha3_256: Annotated[Checksum | None, COMPUTED] = None
    """SHA3-256 of the manifest that was run."""

    result_sha3_256: Annotated[Checksum | None, COMPUTED] = None
    """SHA3-256 of the result archive, where the agent tells it."""

    start_time: Annotated[str | None, COMPUTED] = None
    """When it began, RFC 3339."""

    end_time: Annotated[str | None, COMPUTED] = None
    """When it ended, RFC 3339."""

    events: Annotated[tuple[RunEvent, ...], COMPUTED] = ()
    """The steps of the run, oldest first."""
