"""`prism-iac policy show`: what a policy expects, and who signed it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prism_iac.cli._output import AsJson, emit_facts, emit_json, emit_table, printable, say
from prism_iac.cli.policy._file import PolicyPath, read_policy, require_signature

if TYPE_CHECKING:
    from prism_iac.attestation.policy import PolicyFile
    from prism_iac.cli._documents import PolicyFileDocument

__all__ = ["show"]


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
    found = read_policy(file)
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


def _document(found: PolicyFile, *, holds: bool | None) -> PolicyFileDocument:
    from prism_iac.attestation.policy import canonical_policy

    is_tdx = found.document.is_tdx
    typed = found.document.policy()
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
