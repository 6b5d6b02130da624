"""What the command does, whichever way its arguments came."""

from __future__ import annotations

from base64 import b64encode
from os import stat
from typing import TYPE_CHECKING

from prism_iac.attestation.measurement import (
    VCPU_TYPES,
    Firmware,
    KernelHashes,
    LaunchInputs,
    LaunchMode,
    Measurement,
    MrtdOrder,
    Vmm,
    vcpu_signature,
)
from prism_iac.attestation.measurement import measure as measure_launch
from prism_iac.cli._emit import emit

if TYPE_CHECKING:
    from os import PathLike

    from prism_iac.cli._documents import MeasurementDocument
    from prism_iac.errors import InvalidInput

    StrPath = str | PathLike[str]

__all__ = ["act"]


def act(
    *,
    mode: str,
    ovmf: StrPath,
    vcpus: int | None,
    vcpu_type: str | None,
    vcpu_sig: int | None,
    vcpu_family: int | None,
    vcpu_model: int | None,
    vcpu_stepping: int | None,
    vmm_type: str,
    kernel: StrPath | None,
    initrd: StrPath | None,
    append: str | None,
    guest_features: int,
    snp_ovmf_hash: str | None,
    svsm: StrPath | None,
    vars_file: StrPath | None,
    vars_size: int | None,
    mrtd_order: str,
    output_format: str,
    explain: bool,
    json: bool,
) -> None:
    """Measure and print.

    Raises:
        InvalidInput: What is to be measured cannot be.
        OSError: A file cannot be read.
    """
    measurement = measure_launch(
        LaunchInputs(
            mode=LaunchMode(mode),
            firmware=Firmware.load(ovmf),
            vcpus=vcpus,
            vcpu_signature=_signature(vcpu_type, vcpu_sig, (vcpu_family, vcpu_model, vcpu_stepping)),
            vmm=Vmm(vmm_type),
            guest_features=guest_features,
            kernel=_kernel(kernel, initrd, append),
            firmware_hash=None if snp_ovmf_hash is None else _digest(snp_ovmf_hash),
            svsm=None if svsm is None else Firmware.load(svsm, name="svsm"),
            vars_bytes=_vars_bytes(vars_file, vars_size),
            mrtd_order=MrtdOrder(mrtd_order),
        )
    )
    # Other tools print this hash as hexadecimal in either format: it is for --snp-ovmf-hash.
    as_base64 = output_format == "base64" and mode != LaunchMode.SNP_OVMF_HASH
    digest = b64encode(measurement.digest).decode("ascii") if as_base64 else measurement.digest.hex()
    if json:
        from prism_iac.cli._output import emit_json

        emit_json(_document(mode, digest, measurement))
    elif explain:
        _explain(mode, digest, measurement)
    else:
        emit(digest)


def _signature(
    vcpu_type: str | None, vcpu_sig: int | None, model: tuple[int | None, int | None, int | None]
) -> int | None:
    family, number, stepping = model
    if family is not None:
        if number is None or stepping is None:
            raise _wrong("vcpu-family", "is one of three", "Give --vcpu-model and --vcpu-stepping, too.")
        return vcpu_signature(family, number, stepping)
    if number is not None or stepping is not None:
        raise _wrong("vcpu-family", "is missing beside the model or stepping", "Give --vcpu-family, too.")
    if vcpu_sig is not None or vcpu_type is None:
        return vcpu_sig
    if vcpu_type not in VCPU_TYPES:
        raise _wrong("vcpu-type", f"{vcpu_type!r} is not known", f"Give one of {', '.join(VCPU_TYPES)}.")
    return VCPU_TYPES[vcpu_type]


def _kernel(kernel: StrPath | None, initrd: StrPath | None, append: str | None) -> KernelHashes | None:
    if kernel is not None:
        return KernelHashes.load(kernel, initrd=initrd, command_line=append or "")
    for name, value in (("initrd", initrd), ("append", append)):
        if value:
            raise _wrong(name, "belongs to a kernel, and there is none", "Give --kernel, too.")
    return None


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise _wrong(
            "snp-ovmf-hash", "is not hexadecimal", "Give what `--mode snp:ovmf-hash` prints."
        ) from None


def _vars_bytes(vars_file: StrPath | None, vars_size: int | None) -> int | None:
    if vars_file is None:
        return vars_size
    if vars_size is not None:
        raise _wrong("vars-size", "is said twice, by the file and as a number", "Leave one out.")
    return stat(vars_file).st_size  # noqa: PTH116  # `pathlib` would cost a script more than the rest


def _wrong(path: str, message: str, fix: str) -> InvalidInput:
    from prism_iac.errors import Finding, InvalidInput

    return InvalidInput([Finding(path=path, message=message, fix=fix)])


def _explain(mode: str, digest: str, measurement: Measurement) -> None:
    from prism_iac.cli._output import emit_table

    rows = [(part.name, part.detail, part.digest.hex()) for part in measurement.parts]
    emit_table(("PART", "HOW", "HASH"), [*rows, ("measurement", f"of the mode {mode}", digest)])


def _document(mode: str, digest: str, measurement: Measurement) -> MeasurementDocument:
    return {
        "mode": mode,
        "digest": digest,
        "parts": [
            {"name": part.name, "detail": part.detail, "digest": part.digest.hex()}
            for part in measurement.parts
        ],
    }
