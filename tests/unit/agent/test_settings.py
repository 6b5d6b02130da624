from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.agent.server._allowance import DataLimits
from prism_iac.agent.server._settings import Endpoint, RunLimits, Settings
from prism_iac.errors import InvalidInput
from prism_iac.model import LogLevel


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings(
        log_level=LogLevel.DEBUG,
        control_url="localhost:7001",
        cvm_id="",
        client_certificate=None,
        client_key=None,
        server_ca=None,
        listen=Endpoint("0.0.0.0", 7002),  # noqa: S104  # the documented default
        state_folder=Path("/var/lib/cocos/agent"),
        platform_folder=None,
        limits=RunLimits(),
    )


def test_an_empty_variable_counts_as_absent() -> None:
    names = ("AGENT_CVM_GRPC_URL", "AGENT_LISTEN", "AGENT_LIMIT_PROCESSES", "AGENT_PLATFORM")
    assert Settings.from_environment(dict.fromkeys(names, "")) == Settings.from_environment({})


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(
        {
            "AGENT_LOG_LEVEL": "WARN",
            "AGENT_CVM_GRPC_URL": "prism:7001",
            "AGENT_CVM_ID": "vm",
            "AGENT_CVM_GRPC_CLIENT_CERT": "/c",
            "AGENT_CVM_GRPC_CLIENT_KEY": "/k",
            "AGENT_CVM_GRPC_SERVER_CA_CERTS": "/a",
            "AGENT_LISTEN": "[::1]:6100",
            "AGENT_STATE_DIR": "/s",
            "AGENT_PLATFORM": "simulated-sev-snp",
            "AGENT_PLATFORM_DIR": "/p",
            "AGENT_LIMIT_MEMORY_MIB": "128",
            "AGENT_LIMIT_PROCESSES": "7",
            "AGENT_LIMIT_RUN_SECONDS": "60",
            "AGENT_LIMIT_UPLOAD_MIB": "2",
            "AGENT_LIMIT_DATA_MIB": "3",
            "AGENT_LIMIT_RESULT_MIB": "4",
            "AGENT_LIMIT_ARCHIVE_FILES": "5",
            "AGENT_LIMIT_ARCHIVE_RATIO": "6",
            "AGENT_EVIDENCE_SOCKET": "/e",
        }
    )
    assert settings == Settings(
        log_level=LogLevel.WARN,
        control_url="prism:7001",
        cvm_id="vm",
        client_certificate=Path("/c"),
        client_key=Path("/k"),
        server_ca=Path("/a"),
        listen=Endpoint("::1", 6100),
        state_folder=Path("/s"),
        platform_folder=Path("/p"),
        limits=RunLimits(memory_bytes=128 << 20, processes=7, run_seconds=60),
        data_limits=DataLimits(
            upload_bytes=2 << 20,
            total_bytes=3 << 20,
            result_bytes=4 << 20,
            archive_files=5,
            archive_ratio=6,
        ),
        evidence_at=Path("/e"),
    )
    assert str(settings.listen) == "[::1]:6100"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        Settings.from_environment(
            {
                "AGENT_LOG_LEVEL": "loud",
                "AGENT_CVM_GRPC_CLIENT_CERT": "/c",
                "AGENT_LISTEN": "7002",
                "AGENT_PLATFORM": "sev",
                "AGENT_LIMIT_MEMORY_MIB": "-1",
                "AGENT_LIMIT_PROCESSES": "many",
                "AGENT_LIMIT_RUN_SECONDS": "0",
                "AGENT_LIMIT_DATA_MIB": "1.5",
            }
        )
    assert {finding.path for finding in caught.value.findings} == {
        "AGENT_LOG_LEVEL",
        "AGENT_CVM_GRPC_CLIENT_KEY",
        "AGENT_LISTEN",
        "AGENT_PLATFORM",
        "AGENT_PLATFORM_DIR",
        "AGENT_LIMIT_MEMORY_MIB",
        "AGENT_LIMIT_PROCESSES",
        "AGENT_LIMIT_RUN_SECONDS",
        "AGENT_LIMIT_DATA_MIB",
    }


@pytest.mark.parametrize("text", ["host:0", "host:65536", "host:", ":1", "host:x", "host:1²"])
def test_an_address_needs_a_host_and_a_port(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not host:port"):
        Settings.from_environment({"AGENT_LISTEN": text})


def test_an_address_of_every_interface_is_no_address_for_others() -> None:
    assert not Endpoint("0.0.0.0", 1).is_reachable_as_written  # noqa: S104  # the point of the test
    assert not Endpoint("::", 1).is_reachable_as_written
    assert Endpoint("127.0.0.1", 1).is_reachable_as_written
