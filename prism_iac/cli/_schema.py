"""`prism-iac schema`: the JSON Schemas of what people write, for editors and checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from prism_iac.cli._lookup import choices_of
from prism_iac.cli._output import emit, say
from prism_iac.errors import Finding, InvalidInput

__all__ = ["schema"]

_ENDING: Final = ".schema.json"


def schema(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="`stack`, `lock`, `manifest`, `pulumi-config`, `plan`, or a kind such as Computation.",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write files there; every schema where none is named.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail where the files in DIR say something else.")
    ] = False,
) -> None:
    """Print or write JSON Schemas of what people write.

    They are of draft 2020-12. Without arguments their names are listed.
    """
    if check and output is None:
        raise typer.BadParameter("it needs --output DIR to look at", param_hint="--check")
    known = _texts()
    chosen = known if name is None else {found: known[found] for found in [_find(name, known)]}
    if output is None:
        emit("\n".join(chosen) if name is None else "".join(chosen.values()).rstrip())
    elif check:
        _compare(output, chosen)
    else:
        output.mkdir(parents=True, exist_ok=True)
        for stem, text in chosen.items():
            (output / f"{stem}{_ENDING}").write_text(text, encoding="utf-8", newline="\n")


def _texts() -> dict[str, str]:
    """The text of every schema by its name."""
    from prism_iac.model.schema import generate
    from prism_iac.plan import plan_schema

    written = {
        path.name.removesuffix(_ENDING): text
        for path, text in generate(Path()).items()
        if path.name.endswith(_ENDING)
    }
    return {**written, "plan": plan_schema()}


def _find(name: str, known: Iterable[str]) -> str:
    """The name of a schema in whichever spelling: ConfidentialVM is confidential-vm."""
    names = list(known)
    for candidate in names:
        if candidate.replace("-", "") == name.replace("-", "").lower():
            return candidate
    raise InvalidInput(
        [Finding(path=name, message="there is no schema of that name", fix=choices_of(name, names))]
    )


def _compare(folder: Path, wanted: Mapping[str, str]) -> None:
    findings = []
    for stem, text in wanted.items():
        path = folder / f"{stem}{_ENDING}"
        try:
            found = path.read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            found = ""
        if found != text:
            findings.append(
                Finding(
                    file=str(path),
                    line=1,
                    column=1,
                    message="this is not the schema of this version" if found else "there is no such file",
                    fix=f"Write it with `prism-iac schema {stem} --output {folder}`.",
                )
            )
    if findings:
        raise InvalidInput(findings)
    say(f"{folder}: {len(wanted)} up to date")
