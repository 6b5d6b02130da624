"""`prism-iac attestation`: what evidence says, and whether it meets a policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._documents import AppraisalDocument, EvidenceDocument
from prism_iac.cli._evidence import fetch
from prism_iac.cli._help import example
from prism_iac.cli._octets import read_octets
from prism_iac.cli._output import AsJson, emit, emit_facts, emit_json, emit_table, say
from prism_iac.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.attestation import Check, Nonce, VmEvidence

__all__ = ["app"]

app: Final = typer.Typer(no_args_is_help=True)

EvidenceFile = Annotated[
    Path,
    typer.Option(
        "--evidence",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="A report, a quote, a message or a token, as the agent gave it.",
    ),
]
PolicyPath = Annotated[
    Path,
    typer.Option(
        "--policy",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="What the VM must be: JSON, CoRIM or signed CoRIM.",
    ),
]
PolicyKey = Annotated[
    Path | None,
    typer.Option(
        "--policy-key",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The policy must be signed by this public key; without it a signature is not looked at.",
    ),
]
NonceText = Annotated[
    str | None,
    typer.Option("--nonce", metavar="HEX", help="What the agent was sent, 1 to 64 bytes."),
]
TpmNonceText = Annotated[
    str | None,
    typer.Option(
        "--vtpm-nonce",
        metavar="HEX",
        help="What the TPM was sent, where that is not the first 32 bytes of the nonce.",
    ),
]
CollateralFolder = Annotated[
    Path | None,
    typer.Option(
        "--collateral",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Certificates, revocation lists and Intel's documents, under any names.",
    ),
]
RootsFile = Annotated[
    Path | None,
    typer.Option(
        "--roots",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Trust these roots (PEM), and not those of AMD and Intel.",
    ),
]


@app.callback()
def attestation() -> None:
    """Look at evidence, and hold it against a policy."""


app.command(
    epilog=example(
        "prism-iac attestation fetch --computation iris-regression --nonce 5f1c…07 --output evidence.bin"
    )
)(fetch)


@app.command(epilog=example("prism-iac attestation show evidence.bin"))
def show(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Evidence of a VM.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what evidence says.

    Reports of SEV-SNP, quotes of TDX and of TPMs, and tokens are known by what is in the file. Nothing is verified.
    """
    from prism_iac.attestation import facts_of

    evidence = _read_evidence(file)
    facts = facts_of(evidence)
    if as_json:
        claims = {section: dict(values) for section, values in facts.items()}
        emit_json(EvidenceDocument(platform=evidence.platform.value, claims=claims))
        return
    for section, values in facts.items():
        emit(section)
        emit_facts(values.items())
    say("Nothing of this is verified: run `prism-iac attestation verify`.")


@app.command(
    epilog=example(
        "prism-iac attestation verify --evidence evidence.bin --policy policy.json --nonce 5f1c…07",
        "prism-iac attestation verify --evidence quote.bin --policy tdx.json --nonce 5f1c…07 --collateral intel",
    )
)
def verify(
    evidence: EvidenceFile,
    policy: PolicyPath,
    *,
    policy_key: PolicyKey = None,
    nonce: NonceText = None,
    vtpm_nonce: TpmNonceText = None,
    collateral: CollateralFolder = None,
    roots: RootsFile = None,
    as_json: AsJson = False,
) -> None:
    """Hold evidence against a policy, and list every check.

    Each check passes, fails, only warns as the policy does not enforce it yet, or is not asked for; one that fails ends the command with exit code 4. Certificates must lead to a root of AMD or Intel, or of the file that you name; roots that come with the evidence are never trusted. The policy must say the nonce where the command does not.
    """
    from prism_iac.attestation import Collateral, EvidenceRefused, verify_evidence
    from prism_iac.attestation.policy import PolicyFile
    from prism_iac.cli.policy import require_signature

    expected = PolicyFile.parse(policy.read_bytes())
    if policy_key is not None:
        require_signature(expected, policy_key, policy)
    found = _read_evidence(evidence)
    try:
        result = verify_evidence(
            found,
            expected.document,
            now=datetime.now(UTC),
            nonce=_nonce(nonce, vtpm_nonce),
            roots=roots.read_bytes() if roots else None,
            collateral=Collateral.load(collateral) if collateral else None,
        )
    except EvidenceRefused as refusal:
        _print(refusal.checks, found, as_json=as_json, is_simulated=None)
        raise
    _print(result.checks, found, as_json=as_json, is_simulated=result.is_simulated)
    if result.is_simulated:
        say("The platform is SIMULATED: there is no hardware behind it.")


def _read_evidence(file: Path) -> VmEvidence:
    from prism_iac.attestation import VmEvidence

    try:
        return VmEvidence.parse(file.read_bytes())
    except InvalidInput as error:
        raise InvalidInput(
            replace(finding, path=f"{file}: {finding.path}") for finding in error.findings
        ) from error


def _nonce(sent: str | None, to_tpm: str | None) -> Nonce | None:
    from prism_iac.attestation import Nonce

    if sent is None:
        if to_tpm is not None:
            raise InvalidInput(
                [Finding(path="--vtpm-nonce", message="needs --nonce beside it", fix="Say both.")]
            )
        return None
    tpm = None if to_tpm is None else read_octets("--vtpm-nonce", to_tpm)
    return Nonce.of(read_octets("--nonce", sent), tpm)


def _print(
    checks: tuple[Check, ...], evidence: VmEvidence, *, as_json: bool, is_simulated: bool | None
) -> None:
    if not as_json:
        emit_table(
            ("", "check", "expected", "found"),
            ((check.outcome.value, check.claim, check.expected, check.found) for check in checks),
        )
        return
    emit_json(
        AppraisalDocument(
            accepted=is_simulated is not None,
            platform=evidence.platform.value,
            simulated=is_simulated,
            checks=[
                {
                    "claim": check.claim,
                    "outcome": check.outcome.value,
                    "expected": check.expected,
                    "found": check.found,
                }
                for check in checks
            ],
        )
    )
