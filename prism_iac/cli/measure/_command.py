"""The way in of every other command: made from the table, for help, completion and mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

import typer

from prism_iac.cli.measure._at_once import read_word
from prism_iac.cli.measure._options import OPTIONS, Option

if TYPE_CHECKING:
    from prism_iac.cli.measure._options import Given

__all__ = ["measure"]


def measure(**values: Any) -> None:
    """Print the launch measurement of a VM: what its processor will report.

    For SEV, SEV-ES, SEV-SNP, also below an SVSM, and TDX (MRTD). The names of the options are those of sev-snp-measure.
    """
    from prism_iac.cli.measure._act import act

    act(cast("Given", values))


def _parameters() -> Iterator[Parameter]:
    for option in OPTIONS:
        yield Parameter(
            option.key,
            Parameter.KEYWORD_ONLY,
            default=_default(option),
            annotation=Annotated[_type(option), typer.Option(*option.names, **_settings(option))],
        )


def _default(option: Option) -> Any:
    if option.is_required:
        return Parameter.empty
    # The library reads a default as if it had been written, and help shows it so.
    if option.kind == "word" and isinstance(option.default, int):
        return hex(option.default)
    return option.default


def _type(option: Option) -> Any:
    types: Final = {"text": str, "file": Path, "number": int, "word": int, "flag": bool}
    of_value = Literal[option.choices] if option.choices else types[option.kind]
    return of_value if option.is_required or option.default is not None else of_value | None


def _settings(option: Option) -> dict[str, Any]:
    settings: dict[str, Any] = {"help": option.help}
    if option.metavar:
        settings["metavar"] = option.metavar
    if option.kind == "file":
        settings |= {"exists": True, "dir_okay": False}
    if option.kind == "word":
        settings |= {"parser": read_word}
    if option.kind == "choice":
        settings |= {"case_sensitive": True}
    return settings


_OWN: Final = tuple(_parameters())
measure.__signature__ = Signature(_OWN)  # type: ignore[attr-defined]  # what typer reads
measure.__annotations__ = {parameter.name: parameter.annotation for parameter in _OWN}
