"""The reference tool, `sev-snp-measure`: what it makes of a launch."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sevsnpmeasure import guest  # type: ignore[import-untyped]  # it has no types
from sevsnpmeasure.sev_mode import SevMode  # type: ignore[import-untyped]  # nor here
from sevsnpmeasure.vmm_types import VMMType  # type: ignore[import-untyped]  # nor here

__all__ = ["ReferenceInputs", "reference_digest"]


class ReferenceInputs(NamedTuple):
    """What it takes; `mode` and `vmm` as its command line writes them."""

    mode: str
    ovmf: bytes
    vcpus: int = 0
    vcpu_signature: int = 0
    vmm: str = "QEMU"
    guest_features: int = 0x1
    kernel: bytes | None = None
    initrd: bytes | None = None
    append: str | None = None
    ovmf_hash: bytes | None = None
    svsm: bytes = b""
    vars_size: int = 0


def reference_digest(inputs: ReferenceInputs, folder: Path) -> bytes | None:
    """Its digest; None where it fails, in whichever way."""

    def written(name: str, content: bytes | None) -> str | None:
        if content is None:
            return None
        path = folder / name
        path.write_bytes(content)
        return str(path)

    try:
        digest = guest.calc_launch_digest(
            SevMode.from_str(inputs.mode),
            inputs.vcpus,
            inputs.vcpu_signature,
            written("ovmf", inputs.ovmf),
            written("kernel", inputs.kernel),
            written("initrd", inputs.initrd),
            inputs.append,
            inputs.guest_features,
            None if inputs.ovmf_hash is None else inputs.ovmf_hash.hex(),
            VMMType[inputs.vmm],
            svsm_file=written("svsm", inputs.svsm),
            ovmf_vars_size=inputs.vars_size,
        )
    except Exception:  # noqa: BLE001  # it has no errors of its own: assertions, attributes and keys fail in it
        return None
    assert isinstance(digest, bytes)
    return digest
