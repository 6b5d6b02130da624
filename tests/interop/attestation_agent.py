"""What stands in for the platform below the attestation service of Cocos: `python attestation_agent.py`.

Source: cocos-grpc.md sections 1.4 (`attestation_agent.AttestationAgentService`) and 11.6. Evidence is that of a
simulated guest.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import grpc

from prism_iac.attestation import Launch, SimulatedGuest, SimulatedPlatform

_ADDRESS = "127.0.0.1:50002"
_DATA = slice(2, 66)
"""Where GetEvidenceRequest, one field of fewer than 128 bytes, has the report data."""


def _field(value: bytes) -> bytes:
    """A message whose first field has 128 bytes or more."""
    return bytes([1 << 3 | 2, len(value) & 0x7F | 0x80, len(value) >> 7]) + value


def main() -> None:
    platform = SimulatedPlatform.create(chip_id=bytes(64), now=datetime.now(UTC))
    guest = SimulatedGuest(platform, Launch(measurement=b"\x42" * 48, report_id=bytes(32)))

    def evidence(request: bytes, _: grpc.ServicerContext) -> bytes:
        return _field(guest.attest(request[_DATA].ljust(64, b"\0")).report.to_bytes())

    def platform_kind(_: bytes, __: grpc.ServicerContext) -> bytes:
        return b"\x0a\x03snp"

    methods = {"GetEvidence": evidence, "GetTeeType": platform_kind}
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "attestation_agent.AttestationAgentService",
                {name: grpc.unary_unary_rpc_method_handler(method) for name, method in methods.items()},
            ),
        )
    )
    server.add_insecure_port(_ADDRESS)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
