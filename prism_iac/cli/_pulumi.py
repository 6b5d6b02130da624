"""What a Pulumi stack gives out: the certificates of its computations' clients, and its state."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from prism_iac.cli._child import run_to_its_end
from prism_iac.cli._output import printable
from prism_iac.errors import Conflict
from prism_iac.prism import AgentConfigRecord

__all__ = [
    "CHOOSE_A_STACK",
    "ClientBundle",
    "ask_pulumi",
    "backend_url",
    "find_bundle",
    "load_bundles",
    "load_resources",
    "project_folder",
    "run_pulumi",
]

CHOOSE_A_STACK: Final = "Choose a stack with --stack, or run it in its project's folder."
"""What people do where there is no CLI, no project or no such stack."""

_OUTPUT: Final = "certificates"
_BY_HAND: Final = "Name the files with --server-ca, --client-cert and --client-key instead."


@dataclass(frozen=True, slots=True)
class ClientBundle:
    """What a participant gets of a certificate bundle, PEM; the key is not printed."""

    ca_certificate: str
    client_certificate: str | None
    client_key: str | None = field(repr=False)


def load_bundles(stack: str | None) -> dict[str, ClientBundle]:
    """The bundles in a stack's output `certificates`, by name.

    Args:
        stack: The stack's name; the selected one without it.

    Raises:
        Conflict: There is no Pulumi CLI, no project, no such stack, or the stack has no such output.
    """
    outputs = _outputs(stack)
    found = outputs.get(_OUTPUT)
    if not isinstance(found, Mapping):
        raise Conflict(f"the stack has no output `{_OUTPUT}`", next_step=_BY_HAND)
    return {
        name: ClientBundle(
            ca_certificate=values["ca_certificate"],
            client_certificate=values.get("client_certificate"),
            client_key=values.get("client_key"),
        )
        for name, values in found.items()
        if isinstance(values, Mapping) and isinstance(values.get("ca_certificate"), str)
    }


def find_bundle(bundles: Mapping[str, ClientBundle], config: AgentConfigRecord) -> ClientBundle:
    """The bundle that an agent was given.

    Its CA is the one that the agent asks clients for, or has issued the agent's own certificate.

    Raises:
        Conflict: There is none.
    """
    from prism_iac.pki import is_issued_by, load_certificates, public_key_of

    asked_for = load_certificates(config.client_ca_file.encode()) if config.client_ca_file else ()
    shown = load_certificates(config.cert_file.encode())[:1] if config.cert_file else ()
    keys = [key for authority in asked_for if (key := public_key_of(authority)) is not None]
    for bundle in bundles.values():
        # The agent of a run that is going on may have its files from before a renewal or a change of the CA.
        for authority in load_certificates(bundle.ca_certificate.encode()):
            if public_key_of(authority) in keys or any(is_issued_by(leaf, authority) for leaf in shown):
                return bundle
    raise Conflict(
        "no certificate bundle of the stack is that of this computation",
        next_step=f"Choose another stack with --stack. {_BY_HAND}",
    )


def load_resources(stack: str | None) -> list[dict[str, Any]]:
    """The resources in a stack's state, secrets encrypted.

    Args:
        stack: The stack's name; the selected one without it.

    Raises:
        Conflict: There is no Pulumi CLI, no project or no such stack.
    """
    exported = _ask("export", stack=stack, by_hand=CHOOSE_A_STACK)
    resources: list[dict[str, Any]] = exported.get("deployment", {}).get("resources") or []
    return resources


def _outputs(stack: str | None) -> dict[str, Any]:
    return _ask("output", "--json", "--show-secrets", stack=stack, by_hand=_BY_HAND)


def run_pulumi(
    *arguments: str,
    stack: str | None,
    by_hand: str,
    text: str | None = None,
    environ: Mapping[str, str] | None = None,
    is_shown: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run the Pulumi CLI in the project of the current folder; how it ends is the caller's to judge.

    Interrupted, this process interrupts it, and waits.

    Args:
        arguments: The command with its options.
        stack: The stack's name; the selected one without it.
        by_hand: What people do where there is no CLI or no project.
        text: What it reads from standard input.
        environ: Variables besides those of this process.
        is_shown: People see what it prints as it comes; nothing is captured.

    Raises:
        Conflict: There is no Pulumi CLI or no project.
    """
    from prism_iac.toolchain import find_pulumi

    project = project_folder(Path.cwd(), by_hand)
    pulumi = find_pulumi(os.environ)
    if pulumi is None:
        raise Conflict(f"there is no Pulumi CLI for `pulumi {arguments[0]}`", next_step=by_hand)
    chosen = ["--stack", stack] if stack else []
    return run_to_its_end(
        [str(pulumi.binary), *arguments, "--non-interactive", *chosen],
        cwd=project,
        env={**pulumi.environment(project), **(environ or {})},
        text=text or "",
        is_shown=is_shown,
    )


def ask_pulumi(*arguments: str, stack: str | None, by_hand: str, text: str | None = None) -> str:
    """What a command of the Pulumi CLI prints, which must succeed; as `run_pulumi` runs it.

    Raises:
        Conflict: It failed, or there is no Pulumi CLI or no project.
    """
    answer = run_pulumi(*arguments, stack=stack, by_hand=by_hand, text=text)
    if answer.returncode != 0:
        words = printable(" ".join((answer.stderr or answer.stdout).split()))
        raise Conflict(
            f"`pulumi {' '.join(arguments[:2])}` failed: {words}",
            where=str(project_folder(Path.cwd(), by_hand)),
            next_step=by_hand,
        )
    return answer.stdout


def _ask(verb: str, *options: str, stack: str | None, by_hand: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ask_pulumi("stack", verb, *options, stack=stack, by_hand=by_hand))
    return document


def backend_url(by_hand: str) -> str:
    """Where the engine keeps the states of the project of the current folder, such as `file:///...`.

    Raises:
        Conflict: There is no Pulumi CLI or no project.
    """
    from prism_iac.toolchain import find_pulumi

    project = project_folder(Path.cwd(), by_hand)
    pulumi = find_pulumi(os.environ)
    # The variable wins over what a project or a login says; asking the engine takes longer.
    if pulumi is not None and (url := pulumi.environment(project).get("PULUMI_BACKEND_URL")):
        return url
    return str(json.loads(ask_pulumi("whoami", "--json", stack=None, by_hand=by_hand)).get("url", ""))


def project_folder(start: Path, by_hand: str) -> Path:
    """The folder of the Pulumi project that a folder lies in.

    Raises:
        Conflict: There is none.
    """
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise Conflict("there is no Pulumi project here", where=str(start), next_step=by_hand)
