"""The stack file that declares what computations are: entries by name, references by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prism_iac.exchange._definition import AssetDefinition, Definition
from prism_iac.model import AGENT_TLS_FIELDS, DEFINED_ACTIONS, Action, AssetKind, Refusal, TlsMode
from prism_iac.model.stack import parse_name

__all__ = ["PemFile", "StackText", "stack_file"]

_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 100
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _.@/-]*")
"""What needs no quotes in any version of YAML, but for its few words, which the library knows."""
_FILE_NAMES: Final = {
    "cert_file": "agent.cert.pem",
    "server_key": "agent.key.pem",
    "server_ca_file": "server-ca.pem",
    "client_ca_file": "client-ca.pem",
}


@dataclass(frozen=True, slots=True)
class PemFile:
    """A file beside the stack file that an agent's entry names.

    Attributes:
        path: Relative to the stack file.
        is_private: It holds a private key.
    """

    path: str
    text: str = field(repr=False)
    is_private: bool


@dataclass(frozen=True, slots=True)
class StackText:
    """A stack file and what it names.

    Attributes:
        assets: The ids of the assets that its entries stand for, by name.
        computations: The names of the computations in it.
        left_out: A sentence for everything that it does not say.
    """

    text: str
    pem_files: tuple[PemFile, ...]
    assets: Mapping[str, str]
    computations: tuple[str, ...]
    left_out: tuple[str, ...]


def stack_file(
    definitions: Iterable[Definition],
    *,
    environment: str,
    workspace: str,
    endpoint: str,
    name_of: Callable[[str], str],
    pem_folder: str | None = None,
) -> StackText:
    """The stack file that declares computations.

    Args:
        definitions: What to declare; users by id.
        environment: The name of the environment.
        workspace: The name of the workspace.
        endpoint: Where Prism is.
        name_of: How people know a user: an email address, a user name or an id.
        pem_folder: The folder of agents' certificates and keys, relative to the stack file; without one,
            computations that need them are left out.
    """
    tables = _Tables(name_of, pem_folder)
    for definition in definitions:
        tables.add(definition)
    document = {
        "environment": environment,
        "endpoint": endpoint,
        "workspace": workspace,
        "participants": dict(sorted(tables.participants.items())),
        "assets": dict(sorted(tables.assets.items())),
        "computations": tables.computations,
    }
    return StackText(
        text=_yaml({name: value for name, value in document.items() if value}),
        pem_files=tuple(tables.pem_files),
        assets={name: asset_id for asset_id, name in tables.asset_names.items()},
        computations=tuple(tables.computations),
        left_out=tuple(tables.left_out),
    )


class _CannotSay(Exception):
    """A stack file has no words for a computation."""


class _Tables:
    """The tables of a stack file while it is written."""

    def __init__(self, name_of: Callable[[str], str], pem_folder: str | None) -> None:
        self.participants: dict[str, Any] = {}
        self.assets: dict[str, Any] = {}
        self.computations: dict[str, Any] = {}
        self.asset_names: dict[str, str] = {}
        self.pem_files: list[PemFile] = []
        self.left_out: list[str] = []
        self._user_names: dict[str, str] = {}
        self._name_of = name_of
        self._pem_folder = pem_folder

    def add(self, definition: Definition) -> None:
        """Declare a computation with those who take part and what they bring."""
        try:
            algorithm = _algorithm_of(definition)
            files = self._files_of(definition)
            parse_name(definition.name)
        except (_CannotSay, Refusal) as error:
            self.left_out.append(f"{definition.name}: left out, {error}")
            return
        datasets = [asset for asset in definition.linked if asset.kind is AssetKind.DATASET]
        self.computations[definition.name] = {
            "description": definition.description,
            "algorithm": self._asset(algorithm),
            **({"datasets": [self._asset(asset) for asset in datasets]} if datasets else {}),
            "result_consumers": [
                self._participant(user) for user in definition.users_with(Action.RESULT_CONSUMER)
            ],
            **self._grants(definition),
            "agent": {
                "tls": str(definition.agent.tls_mode),
                **({"log_level": str(definition.agent.log_level)} if definition.agent.log_level else {}),
                **{name: file.path for name, file in files.items()},
            },
        }
        self.pem_files += files.values()

    def _files_of(self, definition: Definition) -> dict[str, PemFile]:
        agent = definition.agent
        if agent.tls_mode is None or agent.tls_mode.is_attested:
            raise _CannotSay(
                "its agent uses attested TLS, for which a stack declares a policy: declare it by hand"
            )
        texts = {name: getattr(agent, name) for name in AGENT_TLS_FIELDS}
        if agent.tls_mode is not TlsMode.NONE:
            if self._pem_folder is None:
                raise _CannotSay("its agent has certificates, which are files of their own")
            if not agent.server_key:
                raise _CannotSay("you may not see the private key of its agent")
            if any(text and "-----BEGIN" not in text for text in texts.values()):
                raise _CannotSay("its agent has paths in place of certificates")
        return {
            name: PemFile(
                f"{self._pem_folder}/{definition.name}/{_FILE_NAMES[name]}", text, name == "server_key"
            )
            for name, text in texts.items()
            if text
        }

    def _grants(self, definition: Definition) -> dict[str, Any]:
        held = definition.actions_by_user()
        grants = {
            self._participant(user): sorted(rest)
            for user, actions in sorted(held.items())
            # The owner has these actions without being told.
            if user != definition.origin.owner and (rest := _besides(actions))
        }
        return (
            {"participants": {name: [str(action) for action in rest] for name, rest in grants.items()}}
            if grants
            else {}
        )

    def _participant(self, user: str) -> str:
        if user not in self._user_names:
            known = self._name_of(user)
            name = _free(known.partition("@")[0], self.participants)
            self.participants[name] = {"user": known}
            self._user_names[user] = name
        return self._user_names[user]

    def _asset(self, asset: AssetDefinition) -> str:
        if asset.id not in self.asset_names:
            stem = asset.file_name.rpartition(".")[0] or asset.file_name or f"{asset.kind}"
            name = _free(stem, self.assets)
            said = {
                "kind": f"{asset.kind}",
                "provider": self._participant(asset.user),
                "description": asset.description,
                "checksum": asset.checksum,
                "file_name": asset.file_name,
                "mime_type": asset.mime_type,
                **_source_of(asset),
            }
            self.assets[name] = {key: value for key, value in said.items() if value}
            self.asset_names[asset.id] = name
        return self.asset_names[asset.id]


def _source_of(asset: AssetDefinition) -> dict[str, Any]:
    """The source of an entry; how an algorithm is run stands beside it there."""
    if asset.source is None:
        return {}
    source = asset.source.to_json()
    how: dict[str, Any] = {name: source.pop(name) for name in ("runtime", "arguments") if name in source}
    return {"source": source, **how}


def _algorithm_of(definition: Definition) -> AssetDefinition:
    algorithm = next((asset for asset in definition.linked if asset.kind is AssetKind.ALGORITHM), None)
    if algorithm is None:
        raise _CannotSay("no algorithm is linked to it")
    if not definition.users_with(Action.RESULT_CONSUMER):
        raise _CannotSay("nobody may read its result")
    if any(not asset.kind or not asset.checksum for asset in definition.linked):
        raise _CannotSay("the digest of one of its assets is not known")
    return algorithm


def _besides(actions: frozenset[Action]) -> frozenset[Action]:
    """What must be granted: what does not follow from the definition, and `view` where nothing else brings it."""
    rest = actions - DEFINED_ACTIONS
    return frozenset() if rest == {Action.VIEW} and actions & DEFINED_ACTIONS else rest


def _free(wanted: str, taken: Mapping[str, Any]) -> str:
    """A name for an entry that no other has."""
    stem = _NO_NAME.sub("-", wanted).strip("-._")[: _LONGEST_NAME - 5] or "entry"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes every text that might be read as something else."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = None if _PLAIN.fullmatch(value) and not value.endswith(" ") else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    written: str = yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=4096)
    return written
