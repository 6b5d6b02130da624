"""The component that deploys a stack file: one resource per entry."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi import Input, Output

from prism_iac._engine import STACK_FILE_TYPE
from prism_iac.errors import PrismError
from prism_iac.provider._declare import PRODUCTION, is_native
from prism_iac.provider._identity import identity_stem
from prism_iac.provider._secrets import require_secrets, secret_of
from prism_iac.provider.resources import (
    AgentConfigArgs,
    Asset,
    AttestationPolicy,
    CertificateBundle,
    Computation,
    ComputationRun,
    ConfidentialVM,
    Participant,
    PublicKey,
)

if TYPE_CHECKING:
    from prism_iac.model import RemoteSource
    from prism_iac.spec import Stack, StackCertificates, StackComputation, StackPolicy, StackVm

__all__ = ["StackFile", "computation_identity"]

_REQUESTS: Final = ("server_request", "client_request")
_LAUNCH_FILES: Final = ("firmware", "kernel", "initrd")


class StackFile(pulumi.ComponentResource):
    """Everything that a stack file declares.

    Endpoint and workspace come from the file; credentials from the stack configuration: `prism:token`, or
    `prism:username` and `prism:password`; `prism:participants` for the users that resources act for.

    Attributes:
        assets: The assets by name.
        certificates: The certificate bundles by name.
        attestation_policies: The attestation policies by name.
        vms: The confidential VMs by name.
        computations: The computations by name.
        runs: The runs by the name of their computation.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Load the file and declare its resources.

        Args:
            path: The stack file.
            name: The logical name of the component; the file's name without its ending when left out.
            opts: Resource options.

        Raises:
            pulumi.RunError: The file is not valid; the message holds every finding.
        """
        file = Path(path)
        super().__init__(STACK_FILE_TYPE, name or file.stem, {}, opts)
        stack = _load(file)
        self._children = pulumi.ResourceOptions(parent=self, provider=self._declare_provider(stack))
        # A declared policy comes before the VM that must meet it, a VM's own after the VM, and one that expects
        # a manifest after its computation.
        policies = stack.attestation_policies.values()
        self.attestation_policies = {
            item.name: self._policy(item, stack)
            for item in policies
            if item.vm is None and item.manifest is None
        }
        self.vms = {
            name: ConfidentialVM(
                name,
                **_vm_settings(item),
                name=item.name_at_prism,
                policy=self.attestation_policies[item.policy].document if item.policy else None,
                opts=self._children,
            )
            for name, item in stack.vms.items()
        }
        self.certificates = {
            name: CertificateBundle(name, **self._bundle_settings(item), opts=self._children)
            for name, item in stack.certificates.items()
        }
        self.attestation_policies |= {
            item.name: self._policy(item, stack)
            for item in policies
            if item.vm is not None and item.manifest is None
        }
        self.assets = {
            name: Asset(
                name,
                asset_type=item.kind,
                description=item.description,
                provider=item.provider.user,
                file=_relative(item.file),
                checksum=item.checksum,
                file_name=item.file_name,
                source=item.source.to_json() if item.source else None,
                mime_type=item.mime_type,
                sample_file=_relative(item.sample_file),
                opts=self._children,
            )
            for name, item in stack.assets.items()
        }
        self.computations = {name: self._computation(item) for name, item in stack.computations.items()}
        self.attestation_policies |= {
            item.name: self._policy(item, stack) for item in policies if item.manifest is not None
        }
        self.runs = {
            name: run for name, item in stack.computations.items() if (run := self._run(item)) is not None
        }
        self.register_outputs(self.outputs)

    @property
    def outputs(self) -> dict[str, Output[Any]]:
        """What participants and people need to know, to be exported by the program.

        What moves on without an update, such as the status of a run, is not among it.
        """
        return {
            "computations": Output.from_input(
                {name: {"id": item.id} for name, item in self.computations.items()}
            ),
            "vms": Output.from_input(
                {
                    name: {"id": item.id, "agent_address": item.agent_address}
                    for name, item in self.vms.items()
                }
            ),
            "runs": Output.from_input(
                {
                    name: {"id": item.id, "number": item.number, "manifest_sha3_256": item.manifest_sha3_256}
                    for name, item in self.runs.items()
                }
            ),
            "certificates": Output.from_input(
                {
                    name: {
                        "ca_certificate": item.ca_certificate,
                        "client_certificate": item.client_certificate,
                        "client_key": item.client_key,
                    }
                    for name, item in self.certificates.items()
                }
            ),
        }

    def _declare_provider(self, stack: Stack) -> pulumi.ProviderResource:
        from prism_iac.model import CONFIGURATION

        config = pulumi.Config("prism")
        inputs: dict[str, Input[Any] | None] = {
            "endpoint": stack.endpoint,
            "workspace": stack.workspace,
            **{
                name: config.get_secret(name) if key.is_secret else config.get(name)
                for name, key in CONFIGURATION.items()
                if not key.is_by_stack_file
            },
        }
        given = {key: value for key, value in inputs.items() if value is not None}
        package = "prism" if is_native() else "pulumi-python"
        # The dynamic plugin takes the whole configuration, so its keys have their namespace.
        named = given if is_native() else {f"prism:{key}": value for key, value in given.items()}
        return pulumi.ProviderResource(package, "prism", named, pulumi.ResourceOptions(parent=self))

    def _bundle_settings(self, item: StackCertificates) -> Mapping[str, Any]:
        values = dict(_values(item.settings))
        if item.settings.vm is not None:
            values["vm"] = self.vms[item.settings.vm].id
        for field in _REQUESTS:
            if field in values:
                values[field] = _relative(Path(values[field]))
        if "files" in values:
            values["files"] = {
                **{field: _relative(Path(value)) for field, value in values["files"].items()},
                **{field: secret_of(source) for field, source in item.secrets.items()},
            }
        return values

    def _policy(self, item: StackPolicy, stack: Stack) -> AttestationPolicy:
        return AttestationPolicy(
            item.name,
            path=item.path,
            vm=self.vms[item.vm.name].id if item.vm else None,
            signed_by=item.signed_by,
            manifest=self._manifest(item.manifest, stack) if item.manifest else None,
            requires_approval=True if stack.environment == PRODUCTION else None,
            **_policy_settings(item),
            opts=self._children,
        )

    def _manifest(self, name: str, stack: Stack) -> Output[str]:
        """What an agent will be told: the files' manifest, with the id and the mark that Prism keeps.

        What Prism returns lacks the keys that are registered after the computation is made.
        """
        from prism_iac.model import Manifest
        from prism_iac.spec.lock import render_manifest

        try:
            portable = render_manifest(stack.computations[name], stack)
        except PrismError as error:
            raise pulumi.RunError(str(error)) from None

        def deployed(returned: str | None) -> str:
            if returned is None:
                raise pulumi.RunError(
                    f"Prism has no manifest of {name} that a policy could expect\n"
                    "  Its algorithm's provider links the algorithm first."
                )
            kept = Manifest.parse(returned)
            return replace(portable, id=kept.id, description=kept.description).canonical_bytes().decode()

        return self.computations[name].manifest.apply(deployed)

    def _computation(self, item: StackComputation) -> Computation:
        computation = Computation(
            item.name,
            description=item.description,
            algorithm=self.assets[item.algorithm.name].id,
            datasets=[self.assets[dataset.name].id for dataset in item.datasets],
            result_consumers=[consumer.user for consumer in item.result_consumers],
            agent=self._agent(item),
            stop_on_delete=item.stop_on_delete,
            export_directory=item.export_directory,
            opts=self._children,
        )
        for grant in item.grants:
            Participant(
                f"{item.name}/{grant.participant.name}",
                computation=computation.id,
                user=grant.participant.user,
                actions=list(grant.actions),
                opts=self._children,
            )
        return computation

    def _agent(self, item: StackComputation) -> AgentConfigArgs:
        agent = item.agent
        if agent.certificates is not None:
            args = self.certificates[agent.certificates.name].agent_config(agent.tls)
        else:
            args = AgentConfigArgs(tls=agent.tls)
            for field, path in agent.pem_files.items():
                args[field] = path.read_text(encoding="utf-8")  # type: ignore[literal-required]  # a PEM field by name
        if agent.log_level is not None:
            args["log_level"] = agent.log_level
        return args

    def _run(self, item: StackComputation) -> ComputationRun | None:
        computation = self.computations[item.name]
        keys = {
            participant.name: PublicKey(
                f"{item.name}/{participant.name}",
                computation=computation.id,
                user=participant.user,
                key=participant.public_key,
                opts=self._children,
            )
            for participant in item.participants
            if participant.public_key is not None
        }
        if item.vm is None or item.run != "on-change":
            return None
        return ComputationRun(
            item.name,
            computation=computation.id,
            vm=self.vms[item.vm.name].id,
            triggers=self._triggers(item),
            wait=item.wait,
            timeout=item.timeout,
            stop_on_delete=item.stop_on_delete,
            opts=pulumi.ResourceOptions.merge(
                self._children, pulumi.ResourceOptions(depends_on=list(keys.values()))
            ),
        )

    def _triggers(self, item: StackComputation) -> dict[str, Input[str]]:
        """What a run depends on: the assets and their sources, the consumers, the keys, and what the file says besides."""
        keys = "".join(participant.public_key or "" for participant in item.participants)
        return {
            "algorithm": self.assets[item.algorithm.name].checksum,
            **{f"dataset {dataset.name}": self.assets[dataset.name].checksum for dataset in item.datasets},
            **{
                f"source {asset.name}": _digest_of(asset.source)
                for asset in (item.algorithm, *item.datasets)
                if asset.source is not None
            },
            "result consumers": " ".join(sorted(consumer.user for consumer in item.result_consumers)),
            "keys": hashlib.sha3_256(keys.encode()).hexdigest(),
            **{f"trigger {name}": value for name, value in item.triggers.items()},
        }


def computation_identity(name: str, *, stack_file: Path, project: str, pulumi_stack: str) -> str:
    """The identity under which a program that declares a stack file first creates a computation.

    Args:
        name: The computation.
        stack_file: The file; its name without the ending is the component's logical name.
        project: The name of the Pulumi project.
        pulumi_stack: The name of the Pulumi stack.
    """
    kind = Computation._resource_type_name  # noqa: SLF001  # where the SDK keeps the type of a class
    return f"{identity_stem(project, pulumi_stack, STACK_FILE_TYPE, stack_file.stem, kind, name)}.0"


def _load(path: Path) -> Stack:
    from prism_iac.spec import load_stack
    from prism_iac.spec.lock import require_lock
    from prism_iac.spec.promotions import require_promotion

    try:
        stack = load_stack(path)
        require_lock(path, stack)
        require_promotion(path, stack)
        require_secrets(stack)
    except PrismError as error:
        raise pulumi.RunError(str(error)) from None
    return stack


def _values(settings: Any) -> Mapping[str, Any]:
    values: Mapping[str, Any] = settings.model_dump(mode="json", exclude_none=True)
    return values


def _digest_of(source: RemoteSource) -> str:
    return hashlib.sha3_256(json.dumps(source.to_json(), sort_keys=True).encode()).hexdigest()


def _vm_settings(item: StackVm) -> Mapping[str, Any]:
    values = dict(_values(item.settings))
    if files := values.get("manager_tls"):
        values["manager_tls"] = {field: _relative(Path(path)) for field, path in files.items()}
    if item.settings.qemu is not None:
        paths = {field: os.path.relpath(path) for field, path in item.settings.qemu.files.items()}
        if "binary" in paths:
            # A mere name would be looked for on the search path.
            paths["binary"] = f"./{paths['binary']}"
        values["qemu"] |= paths
    return values


def _policy_settings(item: StackPolicy) -> Mapping[str, Any]:
    values = dict(_values(item.settings))
    if values.get("reference_values"):
        values["reference_values"] = _relative(Path(values["reference_values"]))
    if launch := values.get("launch"):
        files = {name: _relative(Path(launch[name])) for name in _LAUNCH_FILES if name in launch}
        values["launch"] = launch | files
    return values


def _relative(path: Path | None) -> str | None:
    # State must not say where a checkout lies.
    return os.path.relpath(path) if path is not None else None
