"""`prism-iac policy create`: a policy from options, from evidence, from a VM or from another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from prism_iac.cli._given import given
from prism_iac.cli._prism import Prism
from prism_iac.cli.policy._expectations import (
    HOST_DATA_BYTES,
    MEASUREMENT_BYTES,
    apply,
    as_base64,
    changes,
    product_fields,
    wrong,
)
from prism_iac.cli.policy._file import (
    Force,
    FormOption,
    Output,
    Signer,
    read_policy,
    require_output,
    signed_policy,
    write_policy,
)

if TYPE_CHECKING:
    from prism_iac.attestation import PolicyDocument

__all__ = ["create"]


@given(Prism)
def create(
    prism: Prism,
    *,
    base: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="Begin with this policy, in any form."
        ),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Begin with all that this evidence claims; look at it first, it proves nothing.",
        ),
    ] = None,
    vm: Annotated[
        str | None, typer.Option(metavar="NAME", help="Begin with the policy of this VM at Prism.")
    ] = None,
    measurement: Annotated[
        str | None, typer.Option(metavar="HEX", help="The launch measurement, or MRTD: 48 bytes.")
    ] = None,
    host_data: Annotated[str | None, typer.Option(metavar="HEX", help="32 bytes; SEV-SNP.")] = None,
    guest_policy: Annotated[
        str | None,
        typer.Option("--policy", metavar="NUMBER", help="The guest policy, such as 196608; SEV-SNP."),
    ] = None,
    svn: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=0, help="The least version of the guest; SEV-SNP.")
    ] = None,
    product: Annotated[
        str | None, typer.Option(metavar="NAME", help="Milan, Genoa or Turin; SEV-SNP.")
    ] = None,
    launch_tcb: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="The least TCB at launch; SEV-SNP.")
    ] = None,
    mr_seam: Annotated[
        str | None, typer.Option(metavar="HEX", help="The measurement of the TDX module: 48 bytes; TDX.")
    ] = None,
    rtmrs: Annotated[
        str | None, typer.Option(metavar="HEX,HEX,HEX,HEX", help="The four run-time registers; TDX.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Any other field, such as policy.minimumTcb=720575940379279361; once for each.",
            show_default=False,
        ),
    ] = None,
    platform: Annotated[
        Literal["snp", "tdx"], typer.Option(help="What it is for, when it begins with nothing.")
    ] = "snp",
    form: FormOption = "json",
    output: Output = None,
    signing_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Sign it; needs a CoRIM."),
    ] = None,
    signer: Signer = "prism-iac",
    force: Force = False,
) -> None:
    """Make a policy from options, from evidence, from a VM or from another policy.

    Options of its fields replace what it begins with. The names are those of `cocos-cli policy create-corim`.
    """
    from prism_iac.attestation import PolicyDocument
    from prism_iac.attestation.policy import PolicyFile, PolicyForm

    if signing_key is not None and form == "json":
        raise typer.BadParameter("JSON cannot be signed; say --form corim", param_hint="--signing-key")
    if sum(start is not None for start in (base, evidence, vm)) > 1:
        raise typer.BadParameter("say one of --base, --evidence and --vm")
    require_output(output, form)
    start = _start(prism, base, evidence, vm, platform)
    fields: dict[str, Any] = {
        "product": product_fields(product),
        "svn": svn,
        "policy": guest_policy,
        "launch_tcb": launch_tcb,
        "host_data": as_base64(host_data, HOST_DATA_BYTES, "--host-data"),
        "measurement": as_base64(measurement, MEASUREMENT_BYTES, "--measurement"),
        "mr_seam": as_base64(mr_seam, MEASUREMENT_BYTES, "--mr-seam"),
        "rtmrs": rtmrs and [as_base64(one, MEASUREMENT_BYTES, "--rtmrs") for one in rtmrs.split(",")],
    }
    values = start.values()
    apply(values, changes(fields, settings or (), is_tdx=start.is_tdx))
    made = PolicyFile.make(PolicyDocument.from_values(values), PolicyForm.JSON).converted(PolicyForm(form))
    if signing_key is not None:
        made = signed_policy(made, signing_key, signer)
    write_policy(made, output, force=force)


def _start(
    prism: Prism, base: Path | None, evidence: Path | None, vm: str | None, platform: Literal["snp", "tdx"]
) -> PolicyDocument:
    from prism_iac.attestation import PolicyDocument
    from prism_iac.attestation.policy import PolicyFile

    if base is not None:
        return read_policy(base).document
    if evidence is not None:
        return _of_evidence(evidence)
    if vm is not None:
        return PolicyFile.parse(prism.workspace.cvms.attestation_policy(prism.vm(vm).id)).document
    return PolicyDocument.from_values({"policy": {"tdQuoteBodyPolicy": {}} if platform == "tdx" else {}})


def _of_evidence(file: Path) -> PolicyDocument:
    from prism_iac.attestation import VmEvidence, policy_from_evidence
    from prism_iac.attestation.policy import policy_from_quote

    found = VmEvidence.parse(file.read_bytes())
    if found.tdx is not None:
        return policy_from_quote(found.tdx)
    if found.snp is not None:
        return policy_from_evidence(found.snp.report)
    raise wrong(
        "--evidence", "evidence of a TPM alone does not tell the VM", "Give evidence of SEV-SNP or TDX."
    )
