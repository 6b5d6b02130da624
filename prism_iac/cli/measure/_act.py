"""What the command does, whichever way its arguments came."""

from __future__ import annotations

from binascii import b2a_base64
from os import stat

from prism_iac.attestation.measurement import (
    VCPU_TYPES,
    VMMS,
    Firmware,
    KernelHashes,
    Measurement,
    Part,
    SevEsLaunch,
    SevLaunch,
    SnpLaunch,
    SvsmLaunch,
    TdxLaunch,
    vcpu_signature,
)
from prism_iac.attestation.measurement import measure as measure_launch
from prism_iac.cli._emit import emit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

    from prism_iac.attestation.measurement import LaunchInputs
    from prism_iac.cli._documents import MeasurementDocument
    from prism_iac.cli.measure._options import Given
    from prism_iac.errors import InvalidInput

__all__ = ["act"]

_OVMF_HASH: Final = "snp:ovmf-hash"


def act(given: Given) -> None:
    """Measure and print.

    Raises:
        InvalidInput: What is to be measured cannot be.
        OSError: A file cannot be read.
    """
    mode = given["mode"]
    firmware = Firmware.load(given["ovmf"])
    if mode == _OVMF_HASH:
        measurement = Measurement(
            firmware.snp_hash, (Part("firmware", "its pages alone", firmware.snp_hash),)
        )
    else:
        _refuse_unmeasured(given)
        measurement = measure_launch(_LAUNCHES[mode](given, firmware))
    # Other tools print the hash of firmware as hexadecimal in either format: it is for --snp-ovmf-hash.
    as_base64 = given["output_format"] == "base64" and mode != _OVMF_HASH
    digest = (
        b2a_base64(measurement.digest, newline=False).decode("ascii")
        if as_base64
        else measurement.digest.hex()
    )
    if given["json"]:
        from prism_iac.cli._output import emit_json

        emit_json(_document(mode, digest, measurement))
    elif given["explain"]:
        from prism_iac.cli._output import emit_table

        rows = [(part.name, part.detail, part.digest.hex()) for part in measurement.parts]
        emit_table(("PART", "HOW", "HASH"), [*rows, ("measurement", f"of the mode {mode}", digest)])
    else:
        emit(digest)


def _sev(given: Given, firmware: Firmware) -> LaunchInputs:
    return SevLaunch(firmware, kernel=_kernel(given))


def _sev_es(given: Given, firmware: Firmware) -> LaunchInputs:
    return SevEsLaunch(
        firmware,
        vcpus=_vcpus(given),
        vcpu_signature=_signature(given),
        vmm=VMMS[given["vmm_type"]],
        kernel=_kernel(given),
    )


def _snp(given: Given, firmware: Firmware) -> LaunchInputs:
    return SnpLaunch(
        firmware,
        vcpus=_vcpus(given),
        vcpu_signature=_signature(given),
        vmm=VMMS[given["vmm_type"]],
        guest_features=given["guest_features"],
        kernel=_kernel(given),
        firmware_hash=_firmware_hash(given),
    )


def _svsm(given: Given, firmware: Firmware) -> LaunchInputs:
    svsm, signature = given["svsm"], _signature(given)
    if svsm is None:
        raise _wrong("svsm", "is what this mode starts, and missing", "Give --svsm.")
    if signature is None:
        raise _wrong("vcpu-type", "is measured in this mode, and missing", "Give --vcpu-type.")
    return SvsmLaunch(
        firmware,
        svsm=Firmware.load(svsm, name="svsm"),
        vars_bytes=_vars_bytes(given),
        vcpus=_vcpus(given),
        vcpu_signature=signature,
    )


def _tdx(given: Given, firmware: Firmware) -> LaunchInputs:
    return TdxLaunch(firmware, is_two_pass=given["two_pass"])


_LAUNCHES: Final[Mapping[str, Callable[[Given, Firmware], LaunchInputs]]] = {
    "sev": _sev,
    "seves": _sev_es,
    "snp": _snp,
    "snp:svsm": _svsm,
    "tdx": _tdx,
}


def _refuse_unmeasured(given: Given) -> None:
    """An input that looks measured and is not would be worse than none."""
    mode = given["mode"]
    unmeasured = {
        "kernel": given["kernel"] is not None and mode in ("snp:svsm", "tdx"),
        "snp-ovmf-hash": given["snp_ovmf_hash"] is not None and mode != "snp",
        "svsm": given["svsm"] is not None and mode != "snp:svsm",
        "vmm-type": given["vmm_type"] != "QEMU" and mode in ("snp:svsm", "tdx"),
    }
    for name, is_given in unmeasured.items():
        if is_given:
            raise _wrong(name, f"is not measured in the mode {mode}", "Leave it out, or change the mode.")


def _vcpus(given: Given) -> int:
    if given["vcpus"] is None:
        raise _wrong("vcpus", f"is measured in the mode {given['mode']}, and missing", "Give --vcpus.")
    return given["vcpus"]


def _signature(given: Given) -> int | None:
    family, model, stepping = given["vcpu_family"], given["vcpu_model"], given["vcpu_stepping"]
    if family is not None and model is not None and stepping is not None:
        return vcpu_signature(family, model, stepping)
    if (family, model, stepping) != (None, None, None):
        raise _wrong(
            "vcpu-family", "belongs to a model and a stepping", "Give --vcpu-model and --vcpu-stepping, too."
        )
    named = given["vcpu_type"]
    if given["vcpu_sig"] is not None or named is None:
        return given["vcpu_sig"]
    if named not in VCPU_TYPES:
        raise _wrong("vcpu-type", f"{named!r} is not known", f"Give one of {', '.join(VCPU_TYPES)}.")
    return VCPU_TYPES[named]


def _kernel(given: Given) -> KernelHashes | None:
    kernel, initrd, append = given["kernel"], given["initrd"], given["append"]
    if kernel is not None:
        return KernelHashes.load(kernel, initrd=initrd, command_line=append or "")
    for name, value in (("initrd", initrd), ("append", append)):
        if value:
            raise _wrong(name, "belongs to a kernel, and there is none", "Give --kernel, too.")
    return None


def _firmware_hash(given: Given) -> bytes | None:
    try:
        return None if given["snp_ovmf_hash"] is None else bytes.fromhex(given["snp_ovmf_hash"])
    except ValueError:
        raise _wrong(
            "snp-ovmf-hash", "is not hexadecimal", "Give what `--mode snp:ovmf-hash` prints."
        ) from None


def _vars_bytes(given: Given) -> int:
    file, size = given["vars_file"], given["vars_size"]
    if file is None and size is not None:
        return size
    if file is not None and size is None:
        return stat(file).st_size  # noqa: PTH116  # `pathlib` costs a script more than the rest
    raise _wrong("vars-size", "decides where the SVSM lies", "Give either --vars-file or --vars-size.")


def _wrong(path: str, message: str, fix: str) -> InvalidInput:
    from prism_iac.errors import Finding, InvalidInput

    return InvalidInput([Finding(path=path, message=message, fix=fix)])


def _document(mode: str, digest: str, measurement: Measurement) -> MeasurementDocument:
    return {
        "mode": mode,
        "digest": digest,
        "parts": [
            {"name": part.name, "detail": part.detail, "digest": part.digest.hex()}
            for part in measurement.parts
        ],
    }
