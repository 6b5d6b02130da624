"""Answers the calls of a manager's clients.

Source: cocos-grpc.md sections 1.3, 6.4 and 6.5. Unlike Cocos' own, a `ttl` is read before a VM is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never
from uuid import uuid4

import grpc
from google.protobuf.empty_pb2 import Empty

from prism_iac._version import __version__
from prism_iac.errors import PrismError
from prism_iac.hypervisor._manager_protocol import UNKNOWN_TO_REMOVE, unknown_to_policy
from prism_iac.hypervisor._vm import VmSpec
from prism_iac.hypervisor.manager._duration import parse_go_duration
from prism_iac.hypervisor.manager._fleet import Fleet
from prism_iac.model import LogLevel, Platform
from prism_iac.wire.manager_pb2 import (
    AttestationPolicyReq,
    AttestationPolicyRes,
    CreateReq,
    CreateRes,
    CVMInfoReq,
    CVMInfoRes,
    RemoveReq,
)
from prism_iac.wire.manager_pb2_grpc import ManagerServiceServicer

__all__ = ["ManagerService"]

Context = grpc.ServicerContext


class ManagerService(ManagerServiceServicer):
    """The service over one fleet."""

    def __init__(self, fleet: Fleet, *, vcpus: int, on_change: Callable[[], None]) -> None:
        """Serve a fleet.

        Args:
            fleet: The VMs.
            vcpus: How many virtual processors each has.
            on_change: Is told when there is a VM more.
        """
        self._fleet = fleet
        self._vcpus = vcpus
        self._on_change = on_change

    def CreateVm(self, request: CreateReq, context: Context) -> CreateRes:  # noqa: N802  # the name on the wire
        """Start a VM whose agent dials the control stream that the request names."""
        try:
            ttl = parse_go_duration(request.ttl) if request.ttl else None
            vm = self._fleet.create(self._spec(request), ttl=ttl)
        except (PrismError, ValueError) as error:
            _refuse(context, getattr(error, "message", str(error)))
        except OSError as error:
            _refuse(context, error.strerror or "the files of the VM cannot be kept")
        self._on_change()
        return CreateRes(forwarded_port=vm.agent_address.rpartition(":")[2], cvm_id=vm.id)

    def RemoveVm(self, request: RemoveReq, context: Context) -> Empty:  # noqa: N802  # the name on the wire
        """End a VM."""
        try:
            if not self._fleet.remove(request.cvm_id):
                _refuse(context, UNKNOWN_TO_REMOVE)
        except PrismError as error:
            _refuse(context, error.message)
        return Empty()

    def CVMInfo(self, request: CVMInfoReq, _context: Context) -> CVMInfoRes:  # noqa: N802  # the name on the wire
        """Tell what every VM is like; the id is not looked up."""
        return CVMInfoRes(id=request.id, cpu_num=self._vcpus, eos_version=f"prism-iac {__version__}")

    def AttestationPolicy(  # noqa: N802  # the name on the wire
        self, request: AttestationPolicyReq, context: Context
    ) -> AttestationPolicyRes:
        """Give the policy of a VM."""
        policy = self._fleet.policy(request.id)
        if policy is None:
            _refuse(context, unknown_to_policy(request.id))
        return AttestationPolicyRes(info=policy, id=request.id)

    def _spec(self, request: CreateReq) -> VmSpec:
        vm_id = str(uuid4())
        level = request.agent_log_level.lower() or LogLevel.INFO
        return VmSpec(
            id=vm_id,
            name=f"cvm-{vm_id}",
            platform=Platform.SEV_SNP,
            vcpus=self._vcpus,
            agent_log_level=LogLevel(level),
            control_address=request.agent_cvm_server_url,
            control_ca=request.agent_cvm_server_ca_cert,
            client_certificate=request.agent_cvm_client_cert,
            client_key=request.agent_cvm_client_key,
        )


def _refuse(context: grpc.ServicerContext | Any, text: str) -> Never:
    context.abort(grpc.StatusCode.UNKNOWN, text)
    raise AssertionError("abort always raises")
