"""The PEM files of an agent: they must fit the TLS mode, each other, and the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cryptography import x509
from pydantic import ValidationError

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import AGENT_TLS_FIELDS, Location, Refusal, findings_of
from prism_iac.model.resources import AgentConfig
from prism_iac.model.stack import AgentEntry
from prism_iac.pki import check_certificate, load_certificates, loose_mode
from prism_iac.spec._draft import Draft

__all__ = ["PemFiles", "open_to_others"]

_PRIVATE: Final = b" PRIVATE KEY-----"
_AUTHORITIES: Final = ("server_ca_file", "client_ca_file")


class PemFiles:
    """Checks the files of agents; files that many agents share are checked once."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._checked: dict[tuple[tuple[str, Path], ...], tuple[tuple[str, Finding], ...]] = {}

    def check(self, location: Location, agent: AgentEntry) -> Iterator[Finding]:
        """What is wrong with the files of one agent.

        Args:
            location: Where the agent stands.
            agent: It names at least one file.
        """
        paths: dict[str, Path] = {}
        contents: dict[str, bytes] = {}
        named = [field for field in AGENT_TLS_FIELDS if getattr(agent, field) is not None]
        for field in named:
            as_written = getattr(agent, field)
            try:
                paths[field] = self._draft.path((*location, field), as_written)
                contents[field] = self._draft.inputs.read_key_file(paths[field], as_written=as_written)
                if _PRIVATE in contents[field]:
                    yield from open_to_others(self._draft, (*location, field), paths[field], as_written)
            except Refusal as refusal:
                yield self._draft.refused((*location, field), refusal)
        if list(contents) != named:
            return
        unfit = self._refused_by_the_agent(agent, contents)
        if unfit is not None:
            yield from findings_of(unfit, AgentConfig, within=location, locate=self._draft.place).findings
        for item in unfit.errors() if unfit else ():
            for part in item["loc"]:
                del contents[str(part)], paths[str(part)]
        key = tuple(paths.items())
        if key not in self._checked:
            self._checked[key] = tuple(_certificate_findings(contents, self._draft))
        for field, finding in self._checked[key]:
            yield self._draft.finding((*location, field), finding.message, finding.fix)

    @staticmethod
    def _refused_by_the_agent(agent: AgentEntry, contents: dict[str, bytes]) -> ValidationError | None:
        texts = {field: content.decode("ascii", errors="replace") for field, content in contents.items()}
        try:
            AgentConfig.model_validate({"tls": agent.tls, **texts})
        except ValidationError as error:
            return error
        return None


def open_to_others(draft: Draft, location: Location, path: Path, as_written: str) -> Iterator[Finding]:
    """That others than its owner may read a file with a private key.

    Raises:
        OSError: There is no such file.
    """
    finding = loose_mode(path.stat().st_mode, as_written)
    if finding is not None:
        yield draft.finding(location, finding.message, finding.fix)


def _certificate_findings(contents: dict[str, bytes], draft: Draft) -> Iterator[tuple[str, Finding]]:
    if "cert_file" in contents:
        yield from _at(
            "cert_file",
            check_certificate(
                contents["cert_file"],
                now=draft.now,
                ca_pem=contents.get("server_ca_file"),
                key_pem=contents.get("server_key"),
            ),
        )
    for field in _AUTHORITIES:
        if field in contents:
            yield from _at(field, check_certificate(contents[field], now=draft.now))
            yield from _at(field, _not_an_authority(contents[field]))


def _at(field: str, findings: Iterable[Finding]) -> Iterator[tuple[str, Finding]]:
    return ((field, finding) for finding in findings)


def _not_an_authority(pem: bytes) -> Iterator[Finding]:
    try:
        certificates = load_certificates(pem)
    except InvalidInput:
        return
    for certificate in certificates:
        if not _is_authority(certificate):
            subject = certificate.subject.rfc4514_string()
            yield Finding(
                message=f"the certificate {subject} is no CA's, so it can verify nobody",
                fix="Give the certificate of the CA that signed it.",
            )


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
