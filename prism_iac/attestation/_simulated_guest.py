"""A simulated platform as one of its guests sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from prism_iac._json import load_json
from prism_iac._private_file import write_private
from prism_iac.attestation._nonce import Nonce
from prism_iac.attestation._simulated import COCOS_VMPL, SimulatedPlatform, damaged
from prism_iac.attestation._token import Platform, Token
from prism_iac.attestation.snp._evidence import Evidence
from prism_iac.attestation.snp._guest_policy import DEFAULT_GUEST_POLICY
from prism_iac.attestation.snp._message import attestation_message

__all__ = ["Launch", "SimulatedGuest"]

_LAUNCH_FILE: Final = "launch.json"
_ISSUER: Final = "SIMULATED attestation service"
_TOKEN_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Launch:
    """What a platform measured and was told when it started a guest.

    Attributes:
        measurement: 48 bytes.
        report_id: 32 random bytes, of this launch alone.
        host_data: 32 bytes that the host chose.
        policy: The guest policy.
        vmpl: The privilege level of the agent.
    """

    measurement: bytes
    report_id: bytes
    host_data: bytes = bytes(32)
    policy: int = DEFAULT_GUEST_POLICY
    vmpl: int = COCOS_VMPL


@dataclass(frozen=True, slots=True)
class SimulatedGuest:
    """The launch is fixed; only the report data is the guest's to choose."""

    platform: SimulatedPlatform
    launch: Launch

    def attest(self, report_data: bytes) -> Evidence:
        """Evidence of this guest with 64 bytes of report data.

        Raises:
            InvalidInput: The report data has another length.
        """
        return self.platform.attest(
            measurement=self.launch.measurement,
            report_data=report_data,
            report_id=self.launch.report_id,
            host_data=self.launch.host_data,
            policy=self.launch.policy,
            vmpl=self.launch.vmpl,
        )

    def token(self, nonce: Nonce, *, now: datetime) -> bytes:
        """Evidence as newer agents put it into a connection: a token around a message (cocos-grpc.md section 8.3).

        Args:
            nonce: What it answers.
            now: The time, aware.
        """
        evidence = self.attest(nonce.tee)
        issued = int(now.timestamp())
        return Token(
            platform=Platform.SNP,
            raw_report=attestation_message(evidence),
            nonce=nonce.tpm,
            issuer=_ISSUER,
            issued=issued,
            expires=issued + _TOKEN_SECONDS,
            ueid=evidence.report.chip_id,
            measurement=evidence.report.measurement,
        ).to_bytes()

    @classmethod
    def load(cls, folder: Path) -> SimulatedGuest:
        """The guest that was saved in a folder.

        Raises:
            OSError: A file is missing.
            InvalidInput: A file cannot be read.
        """
        platform = SimulatedPlatform.load(folder)
        try:
            facts = load_json((folder / _LAUNCH_FILE).read_bytes())
            launch = Launch(
                measurement=bytes.fromhex(facts["measurement"]),
                report_id=bytes.fromhex(facts["report_id"]),
                host_data=bytes.fromhex(facts["host_data"]),
                policy=int(facts["policy"]),
                vmpl=int(facts["vmpl"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise damaged(folder) from error
        return cls(platform, launch)

    def save(self, folder: Path) -> None:
        """Write the files into an existing folder, as `SimulatedPlatform.save` does."""
        facts = {
            "measurement": self.launch.measurement.hex(),
            "report_id": self.launch.report_id.hex(),
            "host_data": self.launch.host_data.hex(),
            "policy": self.launch.policy,
            "vmpl": self.launch.vmpl,
        }
        write_private(folder / _LAUNCH_FILE, json.dumps(facts, indent=2).encode())
        self.platform.save(folder)
