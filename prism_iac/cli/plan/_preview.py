"""Has the engine preview a stack, and makes a plan of it."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from prism_iac import __version__
from prism_iac.cli._files import PRIVATE, write_file
from prism_iac.cli._output import printable
from prism_iac.cli._pulumi import CHOOSE_A_STACK, ask_pulumi, project_folder, run_pulumi
from prism_iac.errors import Conflict, InvalidInput, PrismError

if TYPE_CHECKING:
    from prism_iac.plan import Plan, RuleFinding, World

__all__ = ["CLOCK", "make_plan", "stack_name"]

_SALT: Final = Path(".prism", "plan-salt")
_SALT_BYTES: Final = 32
CLOCK: Final = "PRISM_IAC_AT"
"""The variable from which the provider's clock reads another time, in a preview."""

_PROGRAMS: Final = frozenset(
    {".py", ".ts", ".js", ".mjs", ".cjs", ".go", ".cs", ".fs", ".java", ".kt", ".scala"}
)
"""The endings of programs in the languages of the engine; one in YAML is in Pulumi.yaml itself."""

_NOT_THE_PROGRAM: Final = frozenset({"node_modules", "venv", "__pycache__"})


def stack_name(stack: str | None) -> str:
    """The name of a stack; of the selected one where none is named.

    Raises:
        Conflict: There is no Pulumi CLI, no project, or no stack is selected.
    """
    return stack or ask_pulumi("stack", "--show-name", stack=None, by_hand=CHOOSE_A_STACK).strip()


def make_plan(stack: str, *, file: Path | None = None, at: datetime | None = None) -> Plan:
    """What an update of a stack would do. Nothing is changed.

    Args:
        stack: The stack's name, with or without its organization.
        file: The stack file; `stacks/STACK.yaml` of the project where none is named.
        at: Ask what the update would do then, aware; now without it.

    Raises:
        Conflict: There is no Pulumi CLI, no project or no such stack.
    """
    from prism_iac.plan import Surroundings, dates_of_stack, digest_of_state, explain, read_preview

    deployment: dict[str, Any] = json.loads(
        ask_pulumi("stack", "export", "--show-secrets", stack=stack, by_hand=CHOOSE_A_STACK)
    ).get("deployment", {})
    document, saved = _preview(stack, at)
    project = project_folder(Path.cwd(), CHOOSE_A_STACK)
    name = stack.rpartition("/")[2]
    stack_file = file or project / "stacks" / f"{name}.yaml"
    world = _world(project, stack_file, name, digest_of_state(deployment))
    return explain(
        read_preview(document, saved, deployment),
        Surroundings(
            stack=name,
            now=at or datetime.now(UTC),
            salt=_salt(project),
            dates=tuple(dates_of_stack(deployment.get("resources") or [])),
            world=world,
            rules=_rules(stack_file, at or datetime.now(UTC)),
        ),
    )


def _rules(file: Path, now: datetime) -> tuple[RuleFinding, ...]:
    """What breaks the rules of the stack file; nothing where the program deploys none, or a broken one."""
    from prism_iac.cli._rules import rule_findings
    from prism_iac.spec import load_stack

    try:
        return tuple(rule_findings(load_stack(file, now=lambda: now), now.date())) if file.is_file() else ()
    except InvalidInput:
        return ()  # the preview's own error says what is wrong with it


def _preview(stack: str, at: datetime | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The documents that a preview prints and saves; the saved one, which shows secrets, is gone at once."""
    with tempfile.TemporaryDirectory(prefix="prism-iac-plan-") as folder:
        saved = Path(folder, "plan.json")
        answer = run_pulumi(
            *("preview", "--json", "--show-sames", "--show-secrets", "--save-plan", str(saved)),
            stack=stack,
            by_hand=CHOOSE_A_STACK,
            environ={CLOCK: at.isoformat()} if at else None,
        )
        try:
            document: dict[str, Any] = json.loads(answer.stdout)
        except ValueError as error:
            words = printable(" ".join((answer.stderr or answer.stdout).split()))
            raise Conflict(f"`pulumi preview` failed: {words}", next_step=CHOOSE_A_STACK) from error
        return document, json.loads(saved.read_bytes()) if saved.exists() else {}


def _world(project: Path, stack_file: Path, stack: str, state: str) -> World:
    from prism_iac.plan import World, digest_of_files

    configuration = [*project.glob(f"Pulumi.{stack}.yaml"), *stack_file.parent.glob(f"Pulumi.{stack}.yaml")]
    return World(
        state=state,
        stack_file=digest_of_files(_contents(project, [*_stack_files(stack_file), *configuration])),
        program=digest_of_files(
            {
                **_contents(project, [project / "Pulumi.yaml", *_programs(project)]),
                "prism-iac": __version__.encode(),
            }
        ),
    )


def _stack_files(stack_file: Path) -> tuple[Path, ...]:
    """A stack file and those that it extends; what is wrong with them is the preview's to say."""
    from prism_iac.spec import load_stack

    if not stack_file.is_file():
        return ()
    try:
        return load_stack(stack_file).files
    except PrismError:
        return (stack_file,)


def _programs(project: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(project):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _NOT_THE_PROGRAM
        )
        yield from (Path(folder, name) for name in sorted(names) if Path(name).suffix in _PROGRAMS)


def _contents(project: Path, files: list[Path]) -> dict[str, bytes]:
    return {os.path.relpath(file, project): file.read_bytes() for file in files if file.is_file()}


def _salt(project: Path) -> bytes:
    """What keys the fingerprints of secrets in this checkout; made on first use."""
    path = project / _SALT
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        # Another command may make it at the same time; then that one counts.
        with suppress(Conflict):
            write_file(path, secrets.token_bytes(_SALT_BYTES), mode=PRIVATE, force=False)
    return path.read_bytes()
