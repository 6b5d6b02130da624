"""What an agent is told next: one pure function over what is known.

Source: cocos-grpc.md sections 2.3, 4.2, 5.3 and 5.5. An agent takes a manifest in the state ReceivingManifest only
and answers nothing to one that comes at another time; after a run it is told to drop the old computation. One whose
CVM is removed drops what it has, and its connection: an agent of Cocos would serve it on, whoever refuses its stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from prism_iac.model import AgentState

__all__ = ["Command", "RunStage", "Situation", "decide"]


class Command(Enum):
    """What to do on one stream."""

    NOTHING = auto()
    ASK_STATE = auto()
    SEND_MANIFEST = auto()
    SEND_STOP = auto()
    DISCONNECT = auto()


class RunStage(Enum):
    """How far the CVM's run has come."""

    NONE = auto()
    NEW = auto()
    """The manifest has never been sent."""
    SENT = auto()
    """The manifest was sent, perhaps by an earlier process, and the agent has not said that it took it."""
    ACCEPTED = auto()


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a decision is taken.

    Attributes:
        state: What the agent last said on this stream; None before the first word.
        stage: How far the run has come.
        must_reset: The agent holds a computation that it must drop.
        manifest_is_on_the_way: This stream carried the manifest a moment ago.
        stop_is_on_the_way: This stream carried a stop a moment ago.
        is_removed: The CVM is gone for good.
    """

    state: AgentState | None
    stage: RunStage
    must_reset: bool = False
    manifest_is_on_the_way: bool = False
    stop_is_on_the_way: bool = False
    is_removed: bool = False


_RESTING: Final = frozenset(
    {
        AgentState.RECEIVING_MANIFEST,
        AgentState.CONSUMING_RESULTS,
        AgentState.COMPLETE,
        AgentState.FAILED,
    }
)
"""The states that last until somebody does something."""


_EMPTY: Final = frozenset({None, AgentState.IDLE, AgentState.RECEIVING_MANIFEST})
"""The states in which no computation is known of."""


def decide(situation: Situation) -> Command:
    """What to do next on a stream whose agent answers."""
    if situation.is_removed:
        has_computation = situation.must_reset or situation.state not in _EMPTY
        return (
            Command.SEND_STOP if has_computation and not situation.stop_is_on_the_way else Command.DISCONNECT
        )
    if situation.state is None:
        return Command.ASK_STATE
    if situation.must_reset or _holds_an_old_computation(situation):
        return Command.ASK_STATE if situation.stop_is_on_the_way else Command.SEND_STOP
    if situation.stage is RunStage.NONE:
        return Command.NOTHING if situation.state in _RESTING else Command.ASK_STATE
    wants_manifest = situation.stage in (RunStage.NEW, RunStage.SENT)
    if wants_manifest and situation.state is AgentState.RECEIVING_MANIFEST:
        return Command.ASK_STATE if situation.manifest_is_on_the_way else Command.SEND_MANIFEST
    return Command.ASK_STATE


def _holds_an_old_computation(situation: Situation) -> bool:
    """Whether the agent is past ReceivingManifest although its new manifest was never sent."""
    is_idle = situation.state in (AgentState.IDLE, AgentState.RECEIVING_MANIFEST)
    return situation.stage is RunStage.NEW and not is_idle
