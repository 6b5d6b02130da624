"""VMs that QEMU runs on this machine.

A VM is one process of QEMU with a folder, a port that leads to its agent, and two folders that the guest may read:
its certificates, and the settings of its agent. With SEV-SNP or TDX the processor keeps this machine out of the
guest's memory. A plain VM has only what any virtual machine has, so it must be asked for by name; its agent has no
evidence, or simulated evidence when that is asked for too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from prism_iac.errors import Conflict, Finding, InvalidInput
from prism_iac.hypervisor._clock import system_time
from prism_iac.hypervisor._folder import VmFolder
from prism_iac.hypervisor._life import GRACE_SECONDS, Boot, Life, common_findings
from prism_iac.hypervisor._platform import launch_guest, open_platform, saved_root
from prism_iac.hypervisor._port import LOOPBACK, Ports
from prism_iac.hypervisor._vm import Vm, VmSpec
from prism_iac.hypervisor.qemu._arguments import Disk, Kernel, Machine, arguments
from prism_iac.hypervisor.qemu._environment import guest_environment
from prism_iac.hypervisor.qemu._host import Host, detect_host
from prism_iac.hypervisor.qemu._measurement import described_launch, launch_measurement
from prism_iac.hypervisor.qemu.guest import COMMAND_LINE, find_image
from prism_iac.model import Platform, address_of
from prism_iac.model.resources import Acceleration, QemuEvidence, QemuSettings

__all__ = ["QemuHypervisor"]

_DISK_LAYER: Final = "qcow2"
_FOR_THE_PROGRAM: Final = ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "XDG_CACHE_HOME")


class QemuHypervisor:
    """Keeps its VMs in `<data>/qemu/<id>/`; simulated evidence is signed by `<data>/platform/`."""

    def __init__(
        self,
        data: Path,
        *,
        detect: Callable[[], Host] = detect_host,
        now: Callable[[], datetime] = system_time,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """Use a data folder, which is made at the first need.

        Args:
            data: The folder.
            detect: Tells what this machine can do.
            now: The time, aware; dates the certificates of a new simulated platform.
            grace_seconds: How long a VM may take to end by itself when it is removed.
        """
        self._platform = data.absolute() / "platform"
        self._detect = detect
        self._now = now
        self._life = Life(
            data.absolute() / "qemu",
            boot=self._boot,
            ports=_ports,
            has_evidence_port=_is_simulated,
            grace_seconds=grace_seconds,
        )

    def create(self, spec: VmSpec) -> Vm:
        """The VM of this id, made and started unless it runs already.

        Raises:
            InvalidInput: A file is missing, or the firmware cannot start such a guest.
            Conflict: QEMU, KVM, the protection or the guest image is not there, or no port is free.
        """
        spec = replace(spec, qemu=_anchored(_settings(spec)))
        findings = [*common_findings(spec), *_missing_files(_settings(spec))]
        if findings:
            raise InvalidInput(findings)
        return self._life.create(spec)

    def start(self, vm_id: str, /) -> Vm:
        """The VM of an id, started again unless it runs; it keeps its name, port and certificate.

        Raises:
            Conflict: There is no such VM, or what it starts from is not there.
        """
        return self._life.start(vm_id)

    def stop(self, vm_id: str, /) -> None:
        """End a VM and keep its files, not its memory; fine when it does not run.

        Raises:
            Conflict: Its process does not end.
        """
        self._life.stop(vm_id)

    def find(self, vm_id: str, /) -> Vm | None:
        """The VM of an id; None when there is none."""
        return self._life.find(vm_id)

    def list(self) -> tuple[Vm, ...]:
        """Every VM, by id; finishes removals that were cut off."""
        return self._life.list()

    def remove(self, vm_id: str, /) -> None:
        """End a VM and delete its folder; fine when there is none.

        Raises:
            Conflict: Its process does not end. The next removal, or `list`, goes on from there.
        """
        self._life.remove(vm_id)

    def evidence_roots(self) -> bytes | None:
        """The root of simulated evidence, PEM; None while no VM has such.

        Raises:
            InvalidInput: Its files are damaged.
        """
        return saved_root(self._platform)

    def _boot(self, spec: VmSpec, folder: VmFolder, ports: Ports) -> Boot:
        settings = _settings(spec)
        machine = self._machine(spec, settings, folder, ports)
        is_simulated = _is_simulated(spec)
        measured = _measured(machine, spec.platform, must_be=is_simulated or not settings.is_plain)
        guest = folder.shared / "platform"
        folder.prepare(spec, folder.shared, *([guest] if is_simulated else []))
        if is_simulated:
            platform = open_platform(self._platform, now=self._now)
            measured = measured or described_launch(machine)
            launch_guest(platform, measured).save(guest)
        environment = guest_environment(
            spec, address=address_of(machine.host, ports.agent), is_simulated=is_simulated
        )
        folder.write_environment(environment, into=folder.shared)
        _provide_own_files(machine, settings)
        kept = {name: value for name, value in os.environ.items() if name in _FOR_THE_PROGRAM}
        return Boot(arguments(machine), kept | {"LANG": "C.UTF-8"}, folder.path, measured)

    def _machine(self, spec: VmSpec, settings: QemuSettings, folder: VmFolder, ports: Ports) -> Machine:
        host = self._detect()
        protection = None if settings.is_plain else _require_protection(host, spec.platform, settings)
        return Machine(
            binary=_require_binary(settings),
            id=spec.id,
            name=spec.name,
            type=settings.machine,
            cpu=settings.cpu,
            vcpus=spec.vcpus,
            memory_mib=settings.memory_mib,
            protection=protection,
            is_accelerated=protection is not None or _is_accelerated(host, settings),
            boot=_what_to_boot(settings, folder),
            host=LOOPBACK,
            ports=ports,
            certificates=folder.key.parent,
            shared=folder.shared,
            firmware=_path(settings.firmware),
            variables=folder.variables if settings.variables else None,
            igvm=_path(settings.igvm),
        )


def _settings(spec: VmSpec) -> QemuSettings:
    return spec.qemu or QemuSettings()


def _anchored(settings: QemuSettings) -> QemuSettings:
    """With paths that mean the same to whoever starts the VM again, elsewhere."""
    return settings.model_copy(
        update={field: str(Path(path).absolute()) for field, path in settings.files.items()}
    )


def _is_simulated(spec: VmSpec) -> bool:
    return _settings(spec).evidence is QemuEvidence.SIMULATED


def _measured(machine: Machine, platform: Platform, *, must_be: bool) -> bytes | None:
    try:
        return launch_measurement(machine, platform)
    except InvalidInput:
        # A plain VM starts from any firmware, whatever hardware would say of it.
        if must_be:
            raise
        return None


def _ports(spec: VmSpec) -> Sequence[int]:
    first, _, last = _settings(spec).ports.partition("-")
    return range(int(first), int(last) + 1)


def _path(text: str | None) -> Path | None:
    return Path(text) if text is not None else None


def _missing_files(settings: QemuSettings) -> list[Finding]:
    return [
        Finding(
            path=f"qemu.{name}",
            message=f"there is no file {path}",
            fix="Check the path: relative to the project folder in a program, to the stack file in a stack file.",
        )
        for name, path in settings.files.items()
        if not Path(path).is_file()
    ]


def _require_binary(settings: QemuSettings) -> str:
    found = shutil.which(settings.binary)
    if found is None:
        raise Conflict(
            f"the program {settings.binary} is not on this machine",
            next_step="Install QEMU (Debian: `apt-get install qemu-system-x86`), or name it under "
            "`qemu: {binary: ...}`.",
        )
    return found


def _require_protection(host: Host, platform: Platform, settings: QemuSettings) -> Platform:
    is_there = host.has_tdx if platform is Platform.TDX else host.has_sev_snp
    if not (is_there and host.has_kvm):
        missing = f"{platform} is not switched on here" if not is_there else "KVM cannot be used here"
        raise Conflict(
            f"this machine does not protect guests: {missing}",
            next_step="Use a machine whose firmware and kernel have it on and whose user may open /dev/kvm, or say "
            "`qemu: {protection: none}` for a plain VM to try things out.",
        )
    is_igvm = settings.igvm is not None and platform is Platform.SEV_SNP
    if settings.firmware is None and not is_igvm:
        raise InvalidInput(
            [
                Finding(
                    path="qemu.firmware",
                    message=f"a guest that {platform} protects starts from a firmware, and none is named",
                    fix="Name OVMF, for SEV-SNP one with a table of kernel hashes (Debian: ovmf-amdsev), or `igvm`.",
                )
            ]
        )
    return platform


def _is_accelerated(host: Host, settings: QemuSettings) -> bool:
    if settings.acceleration is Acceleration.ON and not host.has_kvm:
        raise Conflict(
            "KVM cannot be used here: the processor has no virtualization, or this user may not open /dev/kvm",
            next_step="Join the group of /dev/kvm, or say `qemu: {acceleration: auto}` to do without.",
        )
    return host.has_kvm and settings.acceleration is not Acceleration.OFF


def _what_to_boot(settings: QemuSettings, folder: VmFolder) -> Kernel | Disk:
    if settings.disk is not None:
        return Disk(folder.disk, _DISK_LAYER)
    kernel, initrd = _path(settings.kernel), _path(settings.initrd)
    if kernel is None:
        image = find_image(os.environ)
        if image is None:
            raise Conflict(
                "the guest image of this version is not built",
                next_step="Run `prism-iac vms image`, or name a kernel under `qemu: {kernel: ..., initrd: ...}`.",
            )
        kernel, initrd = image.kernel, image.initrd
    return Kernel(kernel, initrd, COMMAND_LINE if settings.cmdline is None else settings.cmdline)


def _provide_own_files(machine: Machine, settings: QemuSettings) -> None:
    """What the guest writes to: it is made once, and stays when the VM is started again."""
    if machine.variables is not None and not machine.variables.exists():
        source = _path(settings.variables)
        assert source is not None
        shutil.copyfile(source, machine.variables)
    if isinstance(machine.boot, Disk) and not machine.boot.file.exists():
        source = _path(settings.disk)
        _make_layer(machine.boot.file, source=source, source_format=settings.disk_format)


def _make_layer(layer: Path, *, source: Path | None, source_format: str) -> None:
    command = [
        "qemu-img",
        "create",
        "-q",
        "-f",
        _DISK_LAYER,
        "-F",
        source_format,
        "-b",
        str(source),
        str(layer),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # arguments of ours, no shell
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        layer.unlink(missing_ok=True)
        raise Conflict(
            f"no layer can be made over the disk {source}",
            next_step="Install qemu-img (Debian: `apt-get install qemu-utils`), and look at the disk and its format.",
        ) from error
