"""The agent's process: reads its settings, wires its parts, ends when it is told to."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from prism_iac.agent._protocol import Header
from prism_iac.agent.server._agent import Agent
from prism_iac.agent.server._announcer import Announcer
from prism_iac.agent.server._backoff import Backoff
from prism_iac.agent.server._chunks import ChunkAssembler
from prism_iac.agent.server._control import ControlStream
from prism_iac.agent.server._dial import open_control_channel
from prism_iac.agent.server._evidence import attester_of, load_guest
from prism_iac.agent.server._evidence_port import EvidencePort
from prism_iac.agent.server._greeting import make_greeting
from prism_iac.agent.server._log import LogForwarder, configure_log
from prism_iac.agent.server._measurements import MeasurementList
from prism_iac.agent.server._outbox import Outbox
from prism_iac.agent.server._port import ParticipantPort
from prism_iac.agent.server._runner import Runner
from prism_iac.agent.server._settings import Settings
from prism_iac.agent.server._workspace import Workspace
from prism_iac.agent.server.sources import Fetcher
from prism_iac.errors import PrismError

__all__ = ["main"]

_BAD_SETTINGS = 2


def main() -> int:
    """Run until the VM is removed or the process is asked to end; gives the exit status."""
    try:
        settings = Settings.from_environment(os.environ)
        asyncio.run(_serve(settings, os.environ, Path.cwd()))
    except PrismError as error:
        sys.stderr.write(f"{error}\n")
        return _BAD_SETTINGS
    return 0


async def _serve(settings: Settings, environment: Mapping[str, str], folder: Path) -> None:
    state_folder = settings.state_folder / "agent"
    state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    outbox = Outbox(state_folder / "pending", now=time.monotonic)
    log = LogForwarder(outbox, level=settings.log_level, now_ns=time.time_ns)
    configure_log(log)
    workspace = Workspace(folder, state_folder)
    guest = load_guest(settings.platform_folder)
    measurements = MeasurementList(guest) if guest is not None else None
    agent = Agent(
        workspace=workspace,
        runner=Runner(workspace, settings.limits, environment, measurements),
        fetcher=Fetcher(settings.sources, guest, _now),
        port=ParticipantPort(settings.listen, attester_of(guest, _now), state_folder),
        guest=guest,
        measurements=measurements,
        outbox=outbox,
        announcer=Announcer(outbox, time.time_ns),
        chunks=ChunkAssembler(time.monotonic),
        limits=settings.data_limits,
        log=log,
        now=_now,
    )
    agent.report_interrupted_computation()
    control = ControlStream(
        dial=partial(open_control_channel, settings),
        metadata=_introduction(settings),
        greeting=make_greeting(settings.client_certificate, guest),
        outbox=outbox,
        handle=agent.handle,
        backoff=Backoff(random.random),
    )
    evidence = EvidencePort(settings.evidence_at, guest)
    await evidence.open()
    try:
        await _until_asked_to_end(control)
    finally:
        await evidence.close()
        await agent.close()


async def _until_asked_to_end(control: ControlStream) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    conversation = asyncio.create_task(control.run())
    request = asyncio.create_task(asked.wait())
    done, pending = await asyncio.wait({conversation, request}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


def _now() -> datetime:
    return datetime.now(UTC)


def _introduction(settings: Settings) -> list[tuple[str, str]]:
    words = [(Header.JOB_ID.value, settings.cvm_id)] if settings.cvm_id else []
    if settings.public_address is not None:
        words.append((Header.AGENT_ADDRESS.value, settings.public_address))
    elif settings.listen.is_reachable_as_written:
        words.append((Header.AGENT_ADDRESS.value, str(settings.listen)))
    return words
