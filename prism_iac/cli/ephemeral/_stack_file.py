"""The stack file of an ephemeral stack: that of another one, but for what the two must not share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from prism_iac.cli._files import PUBLIC, write_file
from prism_iac.cli.ephemeral._mark import Mark, name_of
from prism_iac.errors import Conflict

__all__ = ["remove_stack_file", "write_stack_file"]

_HEAD: Final = "# Written by `prism-iac ephemeral`, which removes it again.\n"
_FOLDER: Final = "stacks"
_EMBEDDED: Final = "embedded"


def write_stack_file(project: Path, mark: Mark) -> Path:
    """Write `stacks/NAME.yaml` and give its path.

    On an embedded backend the stack gets a workspace of its own. A hosted one keeps the workspace, which nobody
    makes on the way; objects are told apart by their marks. Policy files lie in a folder of their own. Runs are
    stopped when they are deleted: one that waits for participants would keep the stack for ever.

    Raises:
        InvalidInput: The stack file that it extends is wrong, or is not there.
        Conflict: That one is protected, or somebody else's file is in the way.
    """
    import yaml

    from prism_iac.rules import PRODUCTION
    from prism_iac.spec import load_stack

    base = project / _FOLDER / f"{mark.of}.yaml"
    stack = load_stack(base)
    if PRODUCTION in (stack.environment, mark.of) or stack.locked or stack.promotion is not None:
        raise Conflict(
            f"{mark.of} is protected: nothing ephemeral is made after a stack that is production, or that asks "
            "for a lock or a promotion",
            where=str(base),
            next_step="Name a stack for trying things out, such as dev.",
        )
    name = name_of(mark.of, mark.pull_request)
    document: dict[str, object] = {"extends": base.name, "environment": stack.environment}
    if stack.endpoint == _EMBEDDED:
        document["workspace"] = name_of(stack.workspace, mark.pull_request)
    if stack.attestation_policies:
        document["attestation_policies"] = {
            policy: {"path": f".prism/policies/{name}/{policy}.json"} for policy in stack.attestation_policies
        }
    if stack.computations:
        document["computations"] = {
            computation: {"stop_on_delete": True} for computation in stack.computations
        }
    path = project / _FOLDER / f"{name}.yaml"
    if path.exists() and not _is_ours(path):
        raise Conflict("a stack file of this name is there", where=str(path), next_step="Move it away.")
    text = _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    write_file(path, text.encode(), mode=PUBLIC, force=True)
    return path


def remove_stack_file(project: Path, stack: str) -> None:
    """Remove the file that `write_stack_file` wrote, and no other."""
    path = project / _FOLDER / f"{stack}.yaml"
    if path.exists() and _is_ours(path):
        path.unlink()


def _is_ours(path: Path) -> bool:
    return path.read_bytes().startswith(_HEAD.encode())
