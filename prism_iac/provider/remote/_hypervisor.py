"""The component that keeps a manager on another machine."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NotRequired, TypedDict, cast

import pulumi
from pulumi import Input, Output

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import address_of
from prism_iac.provider.remote._scripts import command_line
from prism_iac.provider.remote._source import Source, read_pem, read_source
from prism_iac.provider.resources import ManagerTlsArgs

if TYPE_CHECKING:
    from pulumi_command.remote import Command, ConnectionArgs, ConnectionArgsDict

__all__ = ["RemoteHypervisor", "RemoteTlsArgs"]

_TYPE: Final = "prism:index:RemoteHypervisor"
_PORTS: Final = range(1, 1 << 16)
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")


class RemoteTlsArgs(TypedDict):
    """The manager's side of TLS; each file is its path, or the PEM text itself; outputs give the text."""

    certificate: Input[str]
    """Its certificate."""
    key: Input[str]
    """Its private key, kept as a secret."""
    client_ca: NotRequired[Input[str]]
    """The CA of its clients; it takes VMs from them alone."""


class RemoteHypervisor(pulumi.ComponentResource):
    """A manager of confidential VMs on another machine, installed and started over SSH.

    Everything is in the folder `.prism-manager` of the user's home; nothing needs root but what the VMs do. A changed
    version is installed beside the one that runs, which is removed once no VM runs from it. A manager that starts
    anew takes over its VMs. Deleting stops it.

    Attributes:
        address: The manager, `host:port`; what uses it comes after the start. Known before the first update is over.
        manager_tls: For `manager_tls` of a `ConfidentialVM`; None without TLS.
    """

    address: Output[str]
    manager_tls: ManagerTlsArgs | None

    def __init__(
        self,
        name: str,
        *,
        connection: ConnectionArgs | ConnectionArgsDict,
        package: str | None = None,
        binary: str | None = None,
        python: str = "python3",
        listen: str = "0.0.0.0",  # noqa: S104  # other machines use it; it must know its clients
        port: int = 7020,
        tls: RemoteTlsArgs | None = None,
        manager_tls: ManagerTlsArgs | None = None,
        vcpus: int = 2,
        max_vms: int = 10,
        settings: Mapping[str, Input[str]] | None = None,
        restart: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a manager on a host.

        Args:
            name: The logical name.
            connection: How to reach the host over SSH, and the `host_key` that it is known by.
            package: Our manager: a wheel or sdist to copy, or a requirement that the host installs from its index;
                this version when left out.
            binary: The manager of Cocos instead, a file to copy.
            python: The host's Python, 3.11 or newer, for our manager.
            listen: The address of the host that it listens at.
            port: The port that it listens at.
            tls: Its side of TLS. Without a `client_ca` it may listen at a loopback address only.
            manager_tls: The side of those who use it; handed on as the output.
            vcpus: The virtual processors of a VM.
            max_vms: How many VMs may run at once; 0 for any number.
            settings: More environment variables of the manager, such as `MANAGER_QEMU_OVMF_CODE_FILE`; kept as secrets.
            restart: Any text; another one starts the manager anew, as its host does not when it has booted.
            opts: Resource options.

        Raises:
            pulumi.RunError: An argument is wrong, or the extra `remote` is not installed.
        """
        try:
            source = read_source(package, binary, python=python)
            _check(connection, listen=listen, port=port, tls=tls, settings=settings or {})
            pem = read_pem(cast("Mapping[str, Input[str]]", tls or {}))
        except InvalidInput as error:
            raise pulumi.RunError(f"{name} (RemoteHypervisor): {error}") from None
        super().__init__(_TYPE, name, {}, opts)
        self._name = name
        self._connection = connection
        self._folder = _folder(name)
        install = self._install(source)
        contents = _contents(pem, settings or {})
        files = [self._file(path, content) for path, content in contents.items()]
        service = self._command(
            f"service-{port}",
            create=(
                "start",
                source.kind,
                source.version,
                listen,
                str(port),
                _mode(tls),
                str(vcpus),
                str(max_vms),
            ),
            delete=("stop", str(port)),
            stdin=_digest(contents, restart),
            # A manager that starts before the one in its place stops would be the one that is stopped.
            opts=pulumi.ResourceOptions(depends_on=[install, *files], delete_before_replace=True),
        )
        host = listen if _is_loopback(listen) else _of(connection, "host")
        self.address = _after(service, Output.from_input(host).apply(lambda host: address_of(host, port)))
        self.manager_tls = _with_secret_key(manager_tls)
        self.register_outputs({"address": self.address, "manager_tls": self.manager_tls})

    def _install(self, source: Source) -> Command:
        uploads: list[pulumi.Resource] = []
        if source.file is not None:
            uploads.append(
                _remote().CopyToRemote(
                    f"{self._name}-upload",
                    connection=self._connection,
                    source=pulumi.FileAsset(str(source.file)),
                    remote_path=f"{self._folder}/{source.upload}",
                    triggers=[source.version],
                    opts=self._options(),
                )
            )
        return self._command(
            "install",
            create=("install", source.kind, source.version, source.argument, source.python),
            # The version that is left is removed after the manager has moved to the other.
            delete=("remove", source.version),
            triggers=[source.version],
            opts=pulumi.ResourceOptions(depends_on=uploads),
        )

    def _file(self, path: str, content: Output[str]) -> Command:
        return self._command(
            path.replace("/", "-"),
            create=("write", path),
            delete=("erase", path),
            stdin=content,
            logging=_remote().Logging.NONE,
            # Where another name of the host is that of the same machine, what is erased last would be missing.
            opts=pulumi.ResourceOptions(
                additional_secret_outputs=["stdin", "stdout", "stderr"], delete_before_replace=True
            ),
        )

    def _command(
        self,
        suffix: str,
        *,
        create: Sequence[str],
        delete: Sequence[str],
        opts: pulumi.ResourceOptions,
        **inputs: Any,
    ) -> Command:
        command: Command = _remote().Command(
            f"{self._name}-{suffix}",
            connection=self._connection,
            create=command_line(create[0], self._folder, *create[1:]),
            delete=command_line(delete[0], self._folder, *delete[1:]),
            add_previous_output_in_env=False,
            **inputs,
            opts=pulumi.ResourceOptions.merge(self._options(), opts),
        )
        return command

    def _options(self) -> pulumi.ResourceOptions:
        # Another host gets everything, and the earlier one is cleared; another key of SSH moves nothing.
        return pulumi.ResourceOptions(parent=self, replace_on_changes=["connection.host"])


def _remote() -> Any:
    try:
        from pulumi_command import remote
    except ModuleNotFoundError as error:
        raise pulumi.RunError(
            f"RemoteHypervisor needs {error.name}, which is not installed\n"
            "  Run `pip install 'prism-iac[remote]'`."
        ) from error
    return remote


def _check(
    connection: ConnectionArgs | ConnectionArgsDict,
    *,
    listen: str,
    port: int,
    tls: RemoteTlsArgs | None,
    settings: Mapping[str, Input[str]],
) -> None:
    findings = [*_findings_of_the_host(connection, port, settings), *_findings_of_tls(listen, tls)]
    if findings:
        raise InvalidInput(findings)


def _findings_of_the_host(
    connection: ConnectionArgs | ConnectionArgsDict, port: int, settings: Mapping[str, Input[str]]
) -> Iterator[Finding]:
    if not _of(connection, "host"):
        yield Finding(path="connection.host", message="it is missing", fix="Name the host.")
    if not _of(connection, "host_key"):
        yield Finding(
            path="connection.host_key",
            message="anybody on the way could pass for the host and be given its keys",
            fix="Write the public key of the host, which `ssh-keyscan` shows; compare it on the host.",
        )
    if port not in _PORTS:
        yield Finding(path="port", message=f"{port} is no port", fix="Choose one from 1 to 65535.")
    for variable in settings:
        if not _VARIABLE.fullmatch(variable):
            yield Finding(
                path=f"settings.{variable}",
                message="it is no name of an environment variable",
                fix="Use capital letters, digits and underscores.",
            )


def _findings_of_tls(listen: str, tls: RemoteTlsArgs | None) -> Iterator[Finding]:
    if tls is not None:
        for field in ("certificate", "key"):
            if field not in tls:
                yield Finding(path=f"tls.{field}", message="it is missing", fix="Name the file.")
    if _mode(tls) != "mutual" and not _is_loopback(listen):
        yield Finding(
            path="tls.client_ca",
            message=f"the manager would make VMs for everybody who reaches {listen}",
            fix="Name its certificate, its key and the CA of its clients, or listen at 127.0.0.1.",
        )


def _mode(tls: RemoteTlsArgs | None) -> str:
    if tls is None:
        return "none"
    return "mutual" if "client_ca" in tls else "server"


def _is_loopback(listen: str) -> bool:
    try:
        return ipaddress.ip_address(listen).is_loopback
    except ValueError:
        return listen == "localhost"


def _folder(name: str) -> str:
    identity = f"{pulumi.get_project()}.{pulumi.get_stack()}.{name}"
    return f".prism-manager/{re.sub(r'[^A-Za-z0-9._-]', '-', identity)}"


def _of(connection: ConnectionArgs | ConnectionArgsDict, field: str) -> Any:
    return connection.get(field) if isinstance(connection, Mapping) else getattr(connection, field)


def _contents(tls: Mapping[str, Input[str]], settings: Mapping[str, Input[str]]) -> Mapping[str, Output[str]]:
    """The files of the manager by their place in its folder, as secrets."""
    pem = {f"tls/{field}": Output.secret(value) for field, value in tls.items()}
    return pem | {"environment": Output.secret(settings).apply(_environment)}


def _environment(settings: Mapping[str, Any]) -> str:
    return "".join(f"{name}={shlex.quote(settings[name])}\n" for name in sorted(settings))


def _digest(contents: Mapping[str, Output[str]], restart: str) -> Output[str]:
    """Tells apart what a manager is started with, and tells nothing of it."""
    return Output.all(**contents).apply(
        lambda values: hashlib.sha3_256(json.dumps([values, restart], sort_keys=True).encode()).hexdigest()
    )


def _after(service: pulumi.Resource, value: Output[str]) -> Output[str]:
    """The same value, whose users come after the service.

    An output of the service would be unknown whenever it is updated, and the preview would replace every VM.
    """

    async def resources() -> set[pulumi.Resource]:
        return {*await value.resources(), service}

    async def content() -> str:
        return cast("str", await value.future(with_unknowns=True))

    return Output(resources(), content(), value.is_known(), value.is_secret())


def _with_secret_key(tls: ManagerTlsArgs | None) -> ManagerTlsArgs | None:
    if tls is None or "client_key" not in tls:
        return tls
    return {**tls, "client_key": Output.secret(tls["client_key"])}
