"""`prism-iac promote`: carries what was proven in one environment to the next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from prism_iac._json import load_json
from prism_iac.cli._help import example
from prism_iac.cli._output import emit, emit_table, say
from prism_iac.cli.promotion._options import StackPath
from prism_iac.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.promotion import Difference

__all__ = ["app"]

_CARRY: Final = "carry"
_LONGEST: Final = 60

_ENVIRONMENT: Final = "The environment {}: its name, for stacks/NAME.yaml, or its stack file."
Source = Annotated[str, typer.Argument(metavar="SOURCE", help=_ENVIRONMENT.format("that has proven it"))]
Target = Annotated[str, typer.Argument(metavar="TARGET", help=_ENVIRONMENT.format("that gets it"))]
SigningKey = Annotated[
    Path,
    typer.Option(
        "--key",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The private key that signs: of a participant of the environment, or of the platform.",
    ),
]
RecordPath = Annotated[
    Path, typer.Argument(metavar="RECORD", exists=True, dir_okay=False, help="The latest record.")
]


class _CarriesByDefault(TyperGroup):
    """`promote dev staging` means `promote carry dev staging`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the name of the command that is meant where none is named."""
        asks_for_help = {*ctx.help_option_names} & {*args[:1]}
        if args and args[0] not in self.commands and not asks_for_help:
            args = [_CARRY, *args]
        return super().parse_args(ctx, args)


app: Final = typer.Typer(
    cls=_CarriesByDefault,
    no_args_is_help=True,
    help="Carry computations from one environment to the next: `prism-iac promote dev staging`.",
    epilog=example("prism-iac promote dev staging --key grace.pem"),
)


@app.command(
    epilog=example(
        "prism-iac promote carry dev staging --key grace.pem",
        "prism-iac promote dev staging iris-regression --key grace.pem --max-age 7d",
    )
)
def carry(
    source: Source,
    target: Target,
    computations: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Computations; all that are pinned without any."),
    ] = None,
    *,
    key: SigningKey,
    max_age: Annotated[
        str, typer.Option(metavar="DURATION", help="How long ago a run may have ended, such as 12h.")
    ] = "30d",
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="What `pulumi stack export` printed; the Pulumi CLI is asked without it.",
        ),
    ] = None,
) -> None:
    """Carry what the source's lock pins to the target, if a run has proven it.

    The state of the source must have a completed run of exactly the manifest that is pinned. The target's
    lock and, where it states other checksums, its stack file are edited; a signed record says what was
    carried and why, chained to the one before it. What differs between the environments is shown. Nothing
    is written when it is refused.
    """
    from prism_iac.promotion import promote

    source_file, target_file = _stack_file(source), _stack_file(target)
    resources = _resources(state) if state else _ask_pulumi(source_file.stem)
    carried = promote(
        source_file,
        target_file,
        computations or [],
        resources=resources,
        key_pem=key.read_bytes(),
        now=datetime.now(UTC),
        max_age=_duration(max_age),
    )
    _show_parity(carried.parity, carried.promotion.source, carried.promotion.environment)
    if carried.replaced:
        say(f"{carried.replaced} was never approved and is replaced")
    for name, promoted in carried.promotion.computations.items():
        say(f"{name}: proven by run #{promoted.evidence.number}, which ended {promoted.evidence.ended}")
    for path in carried.edited:
        say(f"{path}: states what was carried")
    emit(str(carried.record))
    if wanted := carried.promotion.terms.approvals:
        say(
            f"{wanted} approvals are needed of {', '.join(carried.promotion.terms.approvers)}\n"
            f"  Each: `prism-iac promote approve {carried.record} --stack {target_file} --key KEY`."
        )


@app.command(
    epilog=example(
        "prism-iac promote approve stacks/promotions/prod/0001-from-staging.json "
        "--stack stacks/prod.yaml --key ada.pem"
    )
)
def approve(record: RecordPath, *, stack: StackPath, key: SigningKey) -> None:
    """Approve a record as a participant whom the stack file names as approver.

    Whoever promoted it cannot approve it. The record gets one more signature; later approvals by the same
    key replace earlier ones.
    """
    from prism_iac.promotion import approve as approve_record

    approved = approve_record(record, stack_file=stack, key_pem=key.read_bytes())
    for name, promoted in approved.promotion.computations.items():
        say(f"{name}: manifest {promoted.manifest_sha3_256}, proven by run {promoted.evidence.run}")
    given, wanted = len(approved.approvals.by), approved.approvals.required
    emit(f"{approved.by} approves; {given} of {wanted}: {', '.join(approved.approvals.by)}")


@app.command(epilog=example("prism-iac promote verify --stack stacks/prod.yaml"))
def verify(*, stack: StackPath) -> None:
    """Verify every promotion record of an environment, from the repository alone.

    Signatures, the chain of digests, that the lock and the files are what the latest record says, and that
    its approvals are reached, by the keys of the stack file.
    """
    from prism_iac.spec import load_stack
    from prism_iac.spec.lock import require_lock
    from prism_iac.spec.promotions import verify_promotions

    loaded = load_stack(stack)
    records = verify_promotions(stack, loaded)
    require_lock(stack, loaded)
    emit_table(
        ("record", "from", "by", "at", "computations"),
        [
            (
                record.path.name,
                record.promotion.source,
                record.promotion.promoted_by,
                record.promotion.promoted_at,
                ", ".join(record.promotion.computations),
            )
            for record in records
        ],
    )


def _stack_file(text: str) -> Path:
    path = Path(text) if text.endswith((".yaml", ".yml")) else Path("stacks") / f"{text}.yaml"
    if not path.is_file():
        raise InvalidInput(
            [
                Finding(
                    path=text,
                    message=f"there is no stack file {path}",
                    fix="Name an environment whose file is in stacks/, or the file.",
                )
            ]
        )
    return path


def _resources(state: Path) -> list[dict[str, Any]]:
    try:
        resources: list[dict[str, Any]] = load_json(state.read_bytes())["deployment"]["resources"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            [
                Finding(
                    file=str(state),
                    line=1,
                    column=1,
                    message="this is no exported state",
                    fix="Make it with `pulumi stack export --file FILE`.",
                )
            ]
        ) from error
    return resources


def _ask_pulumi(stack: str) -> list[dict[str, Any]]:
    from prism_iac.cli._pulumi import load_resources

    return load_resources(stack)


def _duration(text: str) -> timedelta:
    from prism_iac.model import Refusal, parse_duration

    try:
        return parse_duration(text)
    except Refusal as refusal:
        raise typer.BadParameter(f"{refusal.message}. {refusal.fix}", param_hint="--max-age") from refusal


def _show_parity(rows: Sequence[Difference], source: str, target: str) -> None:
    emit_table(
        ("differs", source, target, "why"),
        [(row.field, _short(row.source), _short(row.target), row.why) for row in rows],
    )


def _short(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
