"""What a part of the package wrote itself and reads back later, after whatever has happened to the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from prism_iac.agent.server import _outbox
from prism_iac.agent.server._settings import Settings as AgentSettings
from prism_iac.attestation import SimulatedGuest
from prism_iac.backend import load_settings, status
from prism_iac.hypervisor._folder import VmFolder
from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.hypervisor.manager._duration import parse_go_duration
from prism_iac.hypervisor.manager._fleet import Fleet
from prism_iac.prism import Accounts, _embedded, find_embedded
from prism_iac.prism._passwords import PasswordFile
from prism_iac.wire.cvms_pb2 import AgentEvent, ClientStreamMessage
from tests.fuzz.target import Target, reads_file, scratch
from tests.fuzz.targets.guest import simulated_guest

__all__ = ["TARGETS"]

_NOW = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)
_NOBODY = "4194305"  # above any process id of Linux


def _instance(path: Path) -> None:
    """Where the backend says that it serves: read by itself, and by whoever looks for it."""
    status(path.parent)
    with mock.patch.object(_embedded, "_lives", return_value=False):  # else a file could have anybody asked
        find_embedded(path.parent.parent)


def _instances() -> Iterator[bytes]:
    yield json.dumps(
        {
            "rest_url": "http://127.0.0.1:1",
            "control_address": "127.0.0.1:2",
            "pid": int(_NOBODY),
            "insecure_address": "",
        }
    ).encode()


def _settings(path: Path) -> None:
    load_settings(path.parent)


def _all_settings() -> Iterator[bytes]:
    yield (
        b'{"host": "127.0.0.1", "rest_port": 7000, "control_host": "", "control_port": 7001, "control_names": ["localhost"],'
        b' "insecure_port": 0, "database_url": "sqlite://"}'
    )


def _passwords(path: Path) -> None:
    PasswordFile(path).find("ada@example.com")


def _admin(path: Path) -> None:
    Accounts(path.parent, "http://127.0.0.1:1").admin  # noqa: B018  # reads the file


def _vm(path: Path) -> None:
    folder = VmFolder(path.parent)
    folder.vm()
    folder.is_leftover  # noqa: B018  # looks at the file


def _vms() -> Iterator[bytes]:
    yield json.dumps(
        {
            "id": "5f0b4f5c-0a7e-4e0f-8f3f-3f4a2a0a6d2c",
            "name": "trainer",
            "platform": "sev-snp",
            "vcpus": 2,
            "agent_log_level": "info",
            "control_address": "127.0.0.1:7001",
            "limits": {"memory_mib": 2048, "processes": 256, "run_time": "1h"},
            "host": "127.0.0.1",
            "port": 7002,
            "process": {"pid": int(_NOBODY), "started": 1, "boot": "b"},
            "launch_measurement": "5f" * 48,
            "started": True,
        }
    ).encode()


def _pending(path: Path) -> None:
    """A message that an agent could not deliver before its end."""
    _outbox.Outbox(path.parent, now=lambda: 0.0)


def _messages() -> Iterator[bytes]:
    yield ClientStreamMessage(
        agent_event=AgentEvent(event_type="Running", computation_id="c")
    ).SerializeToString()


def _launch(path: Path) -> None:
    SimulatedGuest.load(path.parent)


def _save_guest(folder: Path) -> None:
    simulated_guest().save(folder)


def _launches() -> Iterator[bytes]:
    folder = scratch()
    simulated_guest().save(folder)
    yield (folder / "launch.json").read_bytes()


def _end(path: Path) -> None:
    """When a manager's VM is to be removed."""
    Fleet(LocalHypervisor(path.parents[1]), path.parents[1], max_vms=1, now=lambda: _NOW).remove_expired()


def _ends() -> Iterator[bytes]:
    yield (_NOW + timedelta(days=1)).isoformat().encode()


def _duration(data: bytes) -> None:
    parse_go_duration(data.decode("utf-8", "replace"))


def _environment(data: bytes) -> None:
    """The variables of an agent, `NAME=value` on each line."""
    lines = (line.partition("=") for line in data.decode("utf-8", "replace").splitlines())
    AgentSettings.from_environment({name: value for name, _, value in lines})


def _environments() -> Iterator[bytes]:
    yield (
        b"AGENT_LOG_LEVEL=info\nAGENT_CVM_GRPC_URL=localhost:7001\nAGENT_CVM_ID=v\nAGENT_LISTEN=[::1]:7002\n"
        b"AGENT_STATE_DIR=/var/lib/agent\nAGENT_LIMIT_MEMORY_MIB=512\nAGENT_LIMIT_PROCESSES=9\nAGENT_LIMIT_RUN_SECONDS=60\n"
        b"AGENT_SOURCE_NETWORKS=127.0.0.0/8,::1/128\nAGENT_EVIDENCE_ADDRESS=127.0.0.1:1\nAGENT_PUBLIC_ADDRESS=vm:1\n"
    )


TARGETS = (
    Target("instance", reads_file("backend/instance.json", _instance), _instances),
    Target("backend-settings", reads_file("config.json", _settings), _all_settings),
    Target(
        "passwords", reads_file("passwords.json", _passwords), lambda: [b'{"ada@example.com": "hunter2"}']
    ),
    Target(
        "admin", reads_file("admin.json", _admin), lambda: [b'{"username": "admin", "password": "hunter2"}']
    ),
    Target("vm", reads_file("vm.json", _vm), _vms),
    Target("undelivered-message", reads_file("000000000000", _pending), _messages),
    Target("guest", reads_file("launch.json", _launch, beside=_save_guest), _launches),
    Target("end-of-a-vm", reads_file("ends/5f0b", _end), _ends),
    Target("duration", _duration, lambda: [b"1h30m", b"1.5h", b"100ms"], (ValueError,)),
    Target("agent-environment", _environment, _environments),
)
