"""`prism-iac manifest render`: the manifests of a stack file, before anything exists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from prism_iac.cli._files import PUBLIC, write_file
from prism_iac.cli._help import example
from prism_iac.cli._output import AsJson, emit, emit_json, printable, say
from prism_iac.cli.promotion._options import StackPath, computations_of
from prism_iac.errors import Conflict

if TYPE_CHECKING:
    from prism_iac.cli._documents import RenderedManifestDocument
    from prism_iac.model import Manifest
    from prism_iac.spec import Stack

__all__ = ["app"]

app: Final = typer.Typer(help="Manifests: what agents run.", no_args_is_help=True)


class _Deployment(NamedTuple):
    """Where a computation is created, as far as it is said on the command line."""

    id: str | None
    identity: str | None
    project: str | None
    pulumi_stack: str | None


@app.callback()
def manifest() -> None:
    """Manifests: what agents run."""


@app.command(
    epilog=example(
        "prism-iac manifest render --stack stacks/dev.yaml",
        "prism-iac manifest render --stack stacks/dev.yaml iris-regression --policy vtpm-policy.json",
    )
)
def render(
    computation: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One computation; all when left out.")
    ] = None,
    *,
    stack: StackPath,
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Let this policy expect the manifest in PCR 16, for platforms with a TPM.",
        ),
    ] = None,
    computation_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="The computation's id, at a Prism that chooses ids itself."),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            metavar="IDENTITY",
            help="The computation's identity in the state, once it was replaced or is declared otherwise.",
        ),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The Pulumi project; by Pulumi.yaml above the stack file."),
    ] = None,
    pulumi_stack: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The Pulumi stack; named like the stack file when left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print manifests as canonical JSON, one a line, as Prism will return them.

    Calls nobody. The SHA3-256 of a manifest and the value that an agent will give PCR 16 go to standard
    error. The id and the end of the description belong to one deployment; a lock pins the SHA3-256 of the
    rest. Where the id cannot be known, the manifest is printed without it.
    """
    from prism_iac.spec import load_stack
    from prism_iac.spec.lock import render_manifest

    loaded = load_stack(stack)
    chosen = computations_of(loaded, [computation] if computation else [])
    if policy is not None and len(chosen) != 1:
        raise typer.BadParameter("it expects one manifest: name the computation", param_hint="--policy")
    deployment = _Deployment(computation_id, identity, project, pulumi_stack)
    documents = []
    for name, item in chosen.items():
        portable = render_manifest(item, loaded)
        manifest = _deployed(portable, loaded, stack, deployment)
        document = _document(name, portable, manifest)
        documents.append(document)
        if policy is not None:
            _expect(policy, _required(manifest, loaded))
        if not as_json:
            emit((manifest or portable).canonical_bytes().decode())
            _tell(document, loaded)
    if as_json:
        emit_json(documents)


def _deployed(portable: Manifest, stack: Stack, stack_file: Path, deployment: _Deployment) -> Manifest | None:
    """The manifest with the id and the mark of its deployment; None where the id cannot be known."""
    from prism_iac.model import marked
    from prism_iac.model.stack import EMBEDDED
    from prism_iac.prism import workspace_alias

    identity = deployment.identity or _identity(portable.name, stack_file, deployment)
    if deployment.id is not None:
        return replace(portable, id=deployment.id, description=marked(portable.description, identity))
    if stack.endpoint == EMBEDDED:
        return portable.deployed(identity, workspace_alias=workspace_alias(stack.workspace))
    return None


def _identity(name: str, stack_file: Path, deployment: _Deployment) -> str:
    from prism_iac.provider import computation_identity

    return computation_identity(
        name,
        stack_file=stack_file,
        project=deployment.project or _project_above(stack_file),
        pulumi_stack=deployment.pulumi_stack or stack_file.stem,
    )


def _project_above(stack_file: Path) -> str:
    import yaml

    for folder in stack_file.resolve().parents:
        if (file := folder / "Pulumi.yaml").is_file():
            return str(yaml.safe_load(file.read_text(encoding="utf-8"))["name"])
    raise Conflict(
        "the mark of a computation depends on its Pulumi project, and there is none above the stack file",
        where=str(stack_file),
        next_step="Name the project with --project.",
    )


def _document(name: str, portable: Manifest, manifest: Manifest | None) -> RenderedManifestDocument:
    from jsonschema import Draft202012Validator

    from prism_iac.attestation.tpm import predict_manifest_register
    from prism_iac.model.schema import schemas

    shown = manifest or portable
    Draft202012Validator(schemas()["manifest"]).validate(shown.to_json())
    return {
        "name": name,
        "manifest": shown.to_json(),
        "portable_sha3_256": portable.digest().hex(),
        "manifest_sha3_256": manifest.digest().hex() if manifest else None,
        "pcr16": {bank: value.hex() for bank, value in predict_manifest_register(manifest).items()}
        if manifest
        else None,
    }


def _tell(document: RenderedManifestDocument, stack: Stack) -> None:
    name = document["name"]
    say(f"{name}: SHA3-256 without id and mark, for the lock: {document['portable_sha3_256']}")
    if document["pcr16"] is None:
        say(f"{name}: {printable(stack.endpoint)} chooses the id; name it with --id for the rest")
        return
    say(f"{name}: SHA3-256 {document['manifest_sha3_256']}")
    for bank, value in document["pcr16"].items():
        say(f"{name}: PCR 16, {bank}: {value}")


def _required(manifest: Manifest | None, stack: Stack) -> Manifest:
    if manifest is None:
        raise Conflict(
            "the manifest has an id that Prism chooses, so PCR 16 is not known before the computation exists",
            where=stack.endpoint,
            next_step="Name the id with --id once it exists.",
        )
    return manifest


def _expect(policy: Path, manifest: Manifest) -> None:
    from prism_iac.attestation.policy import PolicyFile
    from prism_iac.attestation.tpm import expect_manifest

    found = PolicyFile.parse(policy.read_bytes())
    written = found.with_document(expect_manifest(found.document, manifest))
    write_file(policy, written.to_bytes(), mode=PUBLIC, force=True)
    say(f"{policy} expects the manifest in PCR 16")
