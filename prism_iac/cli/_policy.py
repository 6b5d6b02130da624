"""`prism-iac policy`: what participants expect of a VM, written, signed, shown and tried."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._expectations import apply, as_base64, changes, octets, product_fields, wrong
from prism_iac.cli._files import PUBLIC, require_absent, write_file
from prism_iac.cli._given import given
from prism_iac.cli._help import example
from prism_iac.cli._output import AsJson, emit, emit_facts, emit_json, emit_table, printable, say
from prism_iac.cli._prism import Prism

if TYPE_CHECKING:
    from prism_iac.attestation import PolicyDocument
    from prism_iac.attestation.policy import PolicyFile, Trial
    from prism_iac.cli._documents import PolicyFileDocument, TrialDocument, TrustChangeDocument

__all__ = ["Form", "app", "measurement", "require_signature"]

app: Final = typer.Typer(help="Policies: what participants expect of a VM.", no_args_is_help=True)

Form = Literal["json", "corim", "corim-amd"]

PolicyPath = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The policy, in any form.")
]
FormOption = Annotated[
    Form,
    typer.Option(
        "--form",
        help="json for Cocos to 0.8 and for Prism, corim for Cocos from 0.9 on, corim-amd for others.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write it here; JSON is printed when left out.", show_default=False),
]
SigningKey = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The private key that signs: on P-256, P-384 or P-521, or Ed25519. Cocos itself uses P-256.",
    ),
]
Signer = Annotated[str, typer.Option(metavar="NAME", help="Who signs, for people.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]

_MEASUREMENT_BYTES: Final = 48
_HOST_DATA_BYTES: Final = 32


@app.command(epilog=example('prism-iac policy measurement "$MEASUREMENT" attestation_policy.json'))
def measurement(
    value: Annotated[
        str,
        typer.Argument(metavar="MEASUREMENT", help="48 bytes, base64 or hexadecimal.", show_default=False),
    ],
    file: PolicyPath,
) -> None:
    """Set the launch measurement that a policy expects; for TDX, MRTD.

    All else in the file stays as it is, fields that are not known here too.
    """
    wanted = octets(value, _MEASUREMENT_BYTES, "MEASUREMENT")
    found = _read(file)
    _replace(file, found.with_document(found.document.with_measurement(wanted)))


@app.command(epilog=example('prism-iac policy hostdata "$HOST_DATA" attestation_policy.json'))
def hostdata(
    value: Annotated[
        str, typer.Argument(metavar="HOSTDATA", help="32 bytes, base64 or hexadecimal.", show_default=False)
    ],
    file: PolicyPath,
) -> None:
    """Set the host data that a policy expects, such as the hash of a manifest.

    All else in the file stays as it is, fields that are not known here too.
    """
    wanted = octets(value, _HOST_DATA_BYTES, "HOSTDATA")
    found = _read(file)
    _replace(file, found.with_document(found.document.with_host_data(wanted)))


@app.command(
    epilog=example(
        "prism-iac policy create --vm trainer --output policy.json",
        "prism-iac policy create --evidence evidence.bin --form corim --output policy.corim",
        "prism-iac policy create --measurement 5c… --product Milan --set policy.vmpl=2 --output policy.json",
    )
)
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
    _require_output(output, form)
    start = _start(prism, base, evidence, vm, platform)
    fields: dict[str, Any] = {
        "product": product_fields(product),
        "svn": svn,
        "policy": guest_policy,
        "launch_tcb": launch_tcb,
        "host_data": as_base64(host_data, _HOST_DATA_BYTES, "--host-data"),
        "measurement": as_base64(measurement, _MEASUREMENT_BYTES, "--measurement"),
        "mr_seam": as_base64(mr_seam, _MEASUREMENT_BYTES, "--mr-seam"),
        "rtmrs": rtmrs and [as_base64(one, _MEASUREMENT_BYTES, "--rtmrs") for one in rtmrs.split(",")],
    }
    values = start.values()
    apply(values, changes(fields, settings or (), is_tdx=start.is_tdx))
    made = PolicyFile.make(PolicyDocument.from_values(values), PolicyForm.JSON).converted(PolicyForm(form))
    if signing_key is not None:
        made = _signed(made, signing_key, signer)
    _write(made, output, force=force)


@app.command(epilog=example("prism-iac policy sign policy.corim --key ada.pem --output policy.cose"))
def sign(
    file: PolicyPath,
    *,
    key: SigningKey,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the signed policy goes.")],
    signer: Signer = "prism-iac",
    force: Force = False,
) -> None:
    """Sign a policy with COSE_Sign1.

    JSON becomes a CoRIM first; an earlier signature is replaced. Whoever reads it verifies it with `prism-iac policy show --key`.
    """
    if not force:
        require_absent(output)
    _write(_signed(_read(file), key, signer), output, force=force)


@app.command(epilog=example("prism-iac policy show policy.corim --key ada.pub.pem"))
def show(
    file: PolicyPath,
    *,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="Verify the signature with this public key."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a policy expects, in whichever form it is.

    With --key the exit code is 4 when the signature does not hold, or is missing.
    """
    found = _read(file)
    if key is not None:
        require_signature(found, key, file)
    document = _document(found, holds=None if key is None else True)
    if as_json:
        emit_json(document)
        return
    signature = document["signature"]
    emit_facts(
        (
            ("form", document["form"]),
            ("platform", document["platform"]),
            ("name", document["name"]),
            ("signed by", signature and f"{signature['signer'] or '-'}, {signature['algorithm']}"),
            (
                "signature",
                signature and ("holds" if signature["holds"] else "not verified, for want of --key"),
            ),
        )
    )
    emit_table(("FIELD", "EXPECTED"), _flat(document["policy"]))
    for path in document["unknown"]:
        say(f"{printable(path)}: means nothing here, so no evidence meets this policy")


@app.command(epilog=example("prism-iac policy convert policy.json --form corim --output policy.corim"))
def convert(
    file: PolicyPath, *, form: FormOption = "json", output: Output = None, force: Force = False
) -> None:
    """Write a policy in another form, unsigned; nothing is lost.

    JSON is written as cocos-cli writes it.
    """
    from prism_iac.attestation.policy import PolicyForm

    _require_output(output, form)
    _write(_read(file).converted(PolicyForm(form)), output, force=force)


@app.command(epilog=example("prism-iac policy strength --policy policy.json --evidence evidence.bin"))
def strength(
    *,
    policy: Annotated[
        Path, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The policy, in any form.")
    ],
    evidence: Annotated[
        Path,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Evidence that the policy accepts."),
    ],
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            help="A field that may say nothing, such as policy.reportId; once for each.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which worse evidence a policy would not notice.

    Each claim of good evidence is made worse, as a genuine platform would show it. The exit code is 1 when the policy could say something of a claim, does not, and --accept does not name the field.
    """
    from prism_iac.attestation import VmEvidence
    from prism_iac.attestation.policy import measure_strength

    trials = measure_strength(VmEvidence.parse(evidence.read_bytes()), _read(policy).document)
    accepted = frozenset(accept or ())
    _require_known(accepted, trials)
    weak = [trial for trial in trials if trial.is_weakness and trial.field not in accepted]
    if as_json:
        emit_json([_trial_document(trial, accepted) for trial in trials])
    else:
        rows = [(trial.claim, trial.change, trial.field) for trial in trials if not trial.noticed_by]
        emit_table(("CLAIM", "NOT NOTICED", "FIELD"), rows)
        say(
            f"{len(trials)} changes, {len(rows)} not noticed, {len(weak)} of them neither accepted nor beyond policies"
        )
    if weak:
        raise typer.Exit(ExitCode.REFUSED)


@app.command(epilog=example("prism-iac policy diff old.json new.json --fail-on looser"))
def diff(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", exists=True, dir_okay=False, help="A policy, in any form.")
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", exists=True, dir_okay=False, help="What replaces it.")
    ],
    *,
    fail_on: Annotated[
        Literal["tighter", "looser", "incomparable"] | None,
        typer.Option(help="Exit with code 1 when a field changed like that.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which fields of a policy changed, and whether trust became tighter or looser.

    A change is looser when evidence is accepted that was not, tighter when evidence is not accepted any more, and incomparable when both is so, such as another measurement.
    """
    from prism_iac.attestation.policy import compare_trust

    found = compare_trust(_read(old).document, _read(new).document)
    documents: list[TrustChangeDocument] = [
        {"field": change.field, "trust": change.trust.value, "old": change.old, "new": change.new}
        for change in found
    ]
    if as_json:
        emit_json(documents)
    else:
        emit_table(
            ("TRUST", "FIELD", "OLD", "NEW"), [(it.trust.value, it.field, it.old, it.new) for it in found]
        )
    if any(change.trust == fail_on for change in found):
        raise typer.Exit(ExitCode.REFUSED)


def _read(file: Path) -> PolicyFile:
    from prism_iac.attestation.policy import PolicyFile

    return PolicyFile.parse(file.read_bytes())


def _require_output(output: Path | None, form: Form) -> None:
    if output is None and form != "json":
        raise typer.BadParameter("a CoRIM is no text: name a file", param_hint="--output")


def _write(made: PolicyFile, output: Path | None, *, force: bool) -> None:
    if output is None:
        emit(made.to_bytes().decode().rstrip("\n"))
        return
    write_file(output, made.to_bytes(), mode=PUBLIC, force=force)
    emit(str(output))


def _replace(file: Path, edited: PolicyFile) -> None:
    write_file(file, edited.to_bytes(), mode=stat.S_IMODE(file.stat().st_mode), force=True)


def _signed(policy: PolicyFile, key: Path, signer: str) -> PolicyFile:
    from prism_iac.pki import load_private_key

    return policy.sign(load_private_key(key.read_bytes()), signer=signer)


def require_signature(policy: PolicyFile, key: Path, file: Path) -> None:
    """That a policy is signed by a key.

    Args:
        policy: What was read.
        key: A file with the public key.
        file: Where the policy lies, for people.

    Raises:
        VerificationFailure: It is not, or not signed at all.
        InvalidInput: The key cannot be read.
    """
    from prism_iac.cli._files import read_public_key
    from prism_iac.errors import FailedClaim, VerificationFailure
    from prism_iac.pki import load_public_key, parse_public_key

    if policy.signed is None:
        raise VerificationFailure(
            "the policy is not signed",
            failed=[FailedClaim("signature", "one of the given key", "missing")],
            where=str(file),
            next_step="Ask whoever gave it to you for the signed one.",
        )
    public = load_public_key(parse_public_key(read_public_key(key)))
    policy.signed.verify(public, now=datetime.now(UTC))


def _start(
    prism: Prism, base: Path | None, evidence: Path | None, vm: str | None, platform: Literal["snp", "tdx"]
) -> PolicyDocument:
    from prism_iac.attestation import PolicyDocument
    from prism_iac.attestation.policy import PolicyFile

    if base is not None:
        return _read(base).document
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


def _document(found: PolicyFile, *, holds: bool | None) -> PolicyFileDocument:
    from prism_iac.attestation.policy import canonical_policy

    is_tdx = found.document.is_tdx
    typed = found.document.tdx_policy() if is_tdx else found.document.snp_policy()
    signed = found.signed
    return {
        "form": found.form.value,
        "platform": "TDX" if is_tdx else "SEV-SNP",
        "name": found.names.corim_id if found.names else None,
        "signature": None
        if signed is None
        else {"algorithm": signed.algorithm, "signer": signed.signer, "holds": holds},
        "unknown": sorted(typed.unknown()),
        "policy": canonical_policy(found.document).values(),
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield (
                f"{prefix}{name}",
                value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
            )


def _require_known(accepted: frozenset[str], trials: tuple[Trial, ...]) -> None:
    known = sorted({trial.field for trial in trials} - {""})
    for field in sorted(accepted - set(known)):
        raise wrong("--accept", f'no change is about "{field}"', f"Name one of {', '.join(known)}.")


def _trial_document(trial: Trial, accepted: frozenset[str]) -> TrialDocument:
    return {
        "claim": trial.claim,
        "change": trial.change,
        "field": trial.field,
        "noticed_by": list(trial.noticed_by),
        "accepted": not trial.is_weakness or trial.field in accepted,
    }
