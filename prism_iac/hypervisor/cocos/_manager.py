"""The client of one manager.

Source: cocos-grpc.md sections 1.3, 6.4 and 6.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from prism_iac.errors import Finding, InvalidInput
from prism_iac.hypervisor._manager_protocol import ALREADY_ENDED, UNKNOWN_TO_REMOVE, unknown_to_policy
from prism_iac.hypervisor._vm import VmSpec
from prism_iac.hypervisor.cocos._access import ManagerAccess
from prism_iac.hypervisor.cocos._failures import ManagerFailed, ManagerRefused, failure_of

if TYPE_CHECKING:
    from prism_iac.wire.manager_pb2_grpc import ManagerServiceStub

__all__ = ["CocosManager", "Machine"]

_PATIENCE_SECONDS: Final = 90.0
"""Longer than a removal takes, which waits for up to 30 seconds and keeps other calls waiting meanwhile."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A VM that a manager made.

    Attributes:
        id: The manager's; nothing but this leads to the VM again.
        agent_address: Where participants reach its agent, `host:port`.
    """

    id: str
    agent_address: str


class CocosManager:
    """Makes VMs at one manager and removes them; a context manager, safe from many threads.

    Every method raises `ManagerUnreachable`, `ReplyLost` or `ManagerFailed` when there is no answer to trust.
    """

    def __init__(self, access: ManagerAccess, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """Connect with the first call.

        Args:
            access: Where it is.
            patience_seconds: How long a call may take.
        """
        self._access = access
        self._patience_seconds = patience_seconds
        self._channel = access.open_channel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def require(self, *, vcpus: int) -> None:
        """Check, before anything is made, that its VMs are such; they all have the manager's own settings.

        Raises:
            InvalidInput: They are not.
        """
        from prism_iac.wire.manager_pb2 import CVMInfoReq

        with self._failures("CVMInfo"):
            # The id is echoed and not looked up.
            info = self._stub.CVMInfo(CVMInfoReq(), timeout=self._patience_seconds)
        if info.cpu_num != vcpus:
            raise InvalidInput(
                [
                    Finding(
                        path="vcpus",
                        message=f"the manager {self._access.address} makes VMs of {info.cpu_num} vCPUs, not {vcpus}",
                        fix=f"Write {info.cpu_num}, or change the manager's settings.",
                    )
                ]
            )

    def create(self, spec: VmSpec, *, ttl: timedelta) -> Machine:
        """One more VM, started; whether its agent is ready is for Prism to say.

        Args:
            spec: Id, name, platform, vCPUs and limits are not the manager's business.
            ttl: The manager removes the VM after this time.

        Raises:
            ManagerRefused: It makes none.
            ReplyLost: It may have made one, which nobody will ever know the id of.
        """
        from prism_iac.wire.manager_pb2 import CreateReq

        request = CreateReq(
            agent_log_level=spec.agent_log_level.value,
            agent_cvm_server_ca_cert=spec.control_ca,
            agent_cvm_client_key=spec.client_key,
            agent_cvm_client_cert=spec.client_certificate,
            agent_cvm_server_url=spec.control_address,
            # The real one reads it when the VM runs already, so what it could not read would leave a VM for ever.
            ttl=f"{int(ttl.total_seconds())}s",
        )
        with self._failures("CreateVm"):
            reply = self._stub.CreateVm(request, timeout=self._patience_seconds)
        if not reply.cvm_id or not reply.forwarded_port.isdecimal():
            raise ManagerFailed(
                "the answer has no id or no port of a VM",
                where=self._where("CreateVm"),
                next_step="Check that a manager of Cocos listens there.",
            )
        return Machine(reply.cvm_id, f"{self._access.host}:{reply.forwarded_port}")

    def exists(self, machine_id: str) -> bool:
        """Whether the manager has a VM of this id.

        A manager that cannot make a policy has looked the VM up before, so that means yes.
        """
        from prism_iac.wire.manager_pb2 import AttestationPolicyReq

        try:
            with self._failures("AttestationPolicy"):
                request = AttestationPolicyReq(id=machine_id)
                self._stub.AttestationPolicy(request, timeout=self._patience_seconds)
        except ManagerRefused as refusal:
            return refusal.text != unknown_to_policy(machine_id)
        return True

    def remove(self, machine_id: str) -> None:
        """End a VM; one that is gone is fine.

        Raises:
            ManagerRefused: It does not end.
        """
        from prism_iac.wire.manager_pb2 import RemoveReq

        try:
            with self._failures("RemoveVm"):
                self._stub.RemoveVm(RemoveReq(cvm_id=machine_id), timeout=self._patience_seconds)
        except ManagerRefused as refusal:
            if refusal.text not in (UNKNOWN_TO_REMOVE, *ALREADY_ENDED):
                raise

    @property
    def _stub(self) -> ManagerServiceStub:
        from prism_iac.wire.manager_pb2_grpc import ManagerServiceStub

        return ManagerServiceStub(self._channel)

    def _where(self, call: str) -> str:
        return f"{self._access.address} {call}"

    @contextmanager
    def _failures(self, call: str) -> Iterator[None]:
        import grpc

        try:
            yield
        except grpc.RpcError as error:
            raise failure_of(error, where=self._where(call)) from error
