"""A computation of a stack file, and how its agent is secured."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

from pydantic import Field

from prism_iac.model._canonical import ACTION_WORDS, Duration, LevelText, Text
from prism_iac.model._change import FROZEN, IN_PLACE
from prism_iac.model._document import Document
from prism_iac.model._form import Form
from prism_iac.model._names import COMPUTATION_ROLES, DEFINED_ACTIONS, TlsMode
from prism_iac.model.stack._name import Reference

__all__ = ["AgentEntry", "ComputationEntry", "RunPolicy"]


class RunPolicy(StrEnum):
    """When a stack update runs a computation."""

    NEVER = "never"
    ON_CHANGE = "on-change"


_GRANTABLE: Final = sorted(
    word for word in ACTION_WORDS if DEFINED_ACTIONS.isdisjoint(COMPUTATION_ROLES.get(word, {word}))
)

Grant = Annotated[str, Form("action", {"enum": _GRANTABLE})]
"""An action, or a built-in role, that does not follow from the computation's own definition."""


class AgentEntry(Document):
    """How the agent in the VM logs and is secured: with a bundle of this file, or with PEM files."""

    misnomers: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "attested_tls": "Say `tls: atls` or `tls: matls`.",
            "mode": "Say `tls:` none, tls, mtls, atls or matls.",
        }
    )

    tls: Annotated[TlsMode | None, FROZEN] = None
    """`none`, `tls`, `mtls`, `atls` or `matls`; follows from the certificates or files when left out."""

    certificates: Annotated[Reference | None, FROZEN] = None
    """The certificates to use."""

    attestation_policy: Reference | None = None
    """The policy that participants hold the agent's evidence against; the attested modes need one."""

    log_level: Annotated[LevelText | None, FROZEN] = None
    """`debug`, `info`, `warn` or `error`; the VM's own level when left out."""

    cert_file: Annotated[Text | None, FROZEN] = None
    """The file of the agent's certificate, PEM."""

    server_key: Annotated[Text | None, FROZEN] = None
    """The file of the agent's private key, PEM."""

    server_ca_file: Annotated[Text | None, FROZEN] = None
    """The file of the CA that verifies the agent's certificate, PEM."""

    client_ca_file: Annotated[Text | None, FROZEN] = None
    """The file of the CA that verifies the participants' certificates, PEM."""


class ComputationEntry(Document):
    """A computation: who brings what, who reads the result, and where and when it runs.

    Its name in this file is its name in the workspace.
    """

    description: Annotated[Text, IN_PLACE]
    """What the computation is for."""

    algorithm: Annotated[Reference, FROZEN]
    """The asset that runs."""

    datasets: Annotated[tuple[Reference, ...], FROZEN] = ()
    """The assets that it reads."""

    result_consumers: Annotated[tuple[Reference, ...], Field(min_length=1), FROZEN]
    """The participants who may fetch the result."""

    agent: Annotated[AgentEntry, FROZEN] = AgentEntry()
    """How the agent in the VM logs and is secured."""

    participants: Annotated[dict[str, tuple[Grant, ...]], IN_PLACE] = Field(default_factory=dict)
    """Further actions, or roles that stand for them, by participant; `view` always comes with them."""

    vm: Reference | None = None
    """The VM that it runs on. A change starts a new run."""

    run: RunPolicy = RunPolicy.NEVER
    """`on-change` runs it when it or its triggers change; `never` leaves runs to people."""

    triggers: dict[str, Annotated[str, Field(coerce_numbers_to_str=True)]] = Field(default_factory=dict)
    """What a run depends on besides the computation itself. A change of any value starts a new run."""

    wait: bool = False
    """Whether an update waits for the end of the run, with every upload that this takes."""

    timeout: Annotated[Duration, IN_PLACE] = "1h"
    """How long an update waits for the end of the run, where it does."""

    stop_on_delete: Annotated[bool, IN_PLACE] = False
    """Whether a delete stops a run that is going on; without it such a delete is refused."""

    export_directory: Annotated[Text, IN_PLACE] = ".prism/exports"
    """Where a delete writes the computation's definition first, relative to the project folder."""
