"""A computation: who brings what, who reads the result, and how the agent is secured."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from prism_iac.model._canonical import Checksum, LevelText, Pem, Text, UniqueTexts, UniqueUsers
from prism_iac.model._change import COMPUTED, FROZEN, IN_PLACE, LASTING
from prism_iac.model._document import Document
from prism_iac.model._names import ComputationStatus, TlsMode
from prism_iac.model._refusal import Refusal
from prism_iac.model._tls import (
    AGENT_TLS_FIELDS,
    OPTIONAL_TLS_FIELDS,
    REQUIRED_TLS_FIELDS,
    TLS_PAIR,
    tls_mode_of,
)
from prism_iac.model._unknown import contains_unknown
from prism_iac.model.resources._base import InWorkspace

__all__ = ["AgentConfig", "Computation"]


class AgentConfig(Document):
    """How the agent in the VM logs and is secured (prism-rest.md sections 3.3 and 5.1, D27 to D29)."""

    tls: Annotated[TlsMode | None, FROZEN] = None
    """The TLS mode. Follows from the files when it is left out; must agree with them when it is given."""

    log_level: Annotated[LevelText | None, FROZEN] = None
    """How much the agent logs; the VM's own level when left out."""

    cert_file: Annotated[Pem | None, FROZEN] = None
    """The agent's certificate, PEM."""

    server_key: Annotated[Pem | None, FROZEN.as_secret(write_only=True)] = None
    """The agent's private key, PEM."""

    server_ca_file: Annotated[Pem | None, FROZEN] = None
    """The CA that verifies the agent's certificate, PEM."""

    client_ca_file: Annotated[Pem | None, FROZEN] = None
    """The CA that verifies the participants' certificates, PEM."""

    attested_tls: Annotated[bool | None, FROZEN] = None
    """Whether evidence travels in the handshake. Follows from `tls` when it is left out."""

    @model_validator(mode="after")
    def _mode_agrees_with_files(self) -> Self:
        values = {name: getattr(self, name) for name in (*AGENT_TLS_FIELDS, "tls", "attested_tls")}
        if contains_unknown(values):
            return self
        present = {name for name in AGENT_TLS_FIELDS if values[name]}
        attested = (
            self.attested_tls if self.attested_tls is not None else bool(self.tls and self.tls.is_attested)
        )
        mode = tls_mode_of(present, attested=attested)
        if self.tls is not None and mode is not self.tls:
            raise _mode_mismatch(self.tls, present, attested=attested)
        if mode is None:
            files = ", ".join(sorted(present)) or "no files"
            raise Refusal(
                f"{files} with attested_tls {str(attested).lower()} is no TLS mode",
                "Say `tls`: none, tls, mtls, atls or matls, and give the files that it needs.",
            )
        object.__setattr__(self, "tls", mode)
        object.__setattr__(self, "attested_tls", attested)
        return self


def _mode_mismatch(mode: TlsMode, present: set[str], *, attested: bool) -> Refusal:
    if mode.is_attested is not attested:
        wanted = str(mode.is_attested).lower()
        return Refusal(
            f"TLS mode {mode} needs attested_tls {wanted}", "Leave attested_tls out.", field="attested_tls"
        )
    optional = OPTIONAL_TLS_FIELDS.get(mode, frozenset())
    surplus = present - REQUIRED_TLS_FIELDS[mode] - optional
    if surplus:
        return Refusal(
            f"TLS mode {mode} does not take {', '.join(sorted(surplus))}", "Remove it.", field=min(surplus)
        )
    missing = REQUIRED_TLS_FIELDS[mode] - present or (TLS_PAIR - present)
    return Refusal(
        f"TLS mode {mode} needs {', '.join(sorted(missing))}", "Give what is missing, as PEM.", field="tls"
    )


class Computation(InWorkspace):
    """A computation in a workspace.

    Its algorithm, datasets and result consumers give the participants their roles and link the assets;
    all of it is frozen while a run is going on. The name is unique in the workspace.
    """

    kind: ClassVar[str] = "Computation"

    name: Annotated[Text, IN_PLACE]
    """The name, unique in the workspace."""

    description: Annotated[Text, IN_PLACE]
    """What the computation is for."""

    algorithm: Annotated[Text | None, FROZEN] = None
    """The id of the algorithm asset."""

    datasets: Annotated[UniqueTexts, FROZEN] = ()
    """The ids of the dataset assets."""

    result_consumers: Annotated[UniqueUsers, FROZEN] = ()
    """The users who may fetch the result."""

    agent: Annotated[AgentConfig, FROZEN] = AgentConfig()
    """How the agent in the VM logs and is secured."""

    stop_on_delete: Annotated[bool, IN_PLACE] = False
    """Whether a delete stops a run that is going on; without it such a delete is refused."""

    export_directory: Annotated[Text, IN_PLACE] = ".prism/exports"
    """Where a delete writes the computation's definition first, so that nothing is lost."""

    owner: Annotated[str | None, LASTING] = None
    """The id of the user who owns the computation."""

    status: Annotated[ComputationStatus | None, COMPUTED] = None
    """The state as of the last read; follows the latest run."""

    manifest: Annotated[str | None, COMPUTED] = None
    """The runtime manifest as canonical JSON; complete once every participant's key is registered."""

    manifest_sha3_256: Annotated[Checksum | None, COMPUTED] = None
    """SHA3-256 of the manifest's canonical bytes."""
