"""A certificate bundle: the keys and certificates that one TLS mode asks for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from prism_iac.model._canonical import (
    DnsName,
    Duration,
    IpAddress,
    Pem,
    Text,
    UniqueTexts,
    WholeNumber,
    parse_duration,
)
from prism_iac.model._change import COMPUTED, IN_PLACE, REPLACE
from prism_iac.model._document import Document
from prism_iac.model._names import TlsMode
from prism_iac.model._refusal import Refusal
from prism_iac.model._tls import REQUIRED_TLS_FIELDS
from prism_iac.model._unknown import contains_unknown
from prism_iac.model.resources._base import ResourceModel

__all__ = [
    "BroughtFiles",
    "CertificateBundle",
    "CertificateSettings",
    "CertificateSource",
    "IssuedParty",
    "KeyAlgorithm",
    "KeySpec",
    "KeysOnRenewal",
    "PermittedNames",
    "ServerNames",
    "Subject",
]


class KeyAlgorithm(StrEnum):
    """The kinds of key that certificates are made for."""

    RSA = "rsa"
    ECDSA = "ecdsa"
    ED25519 = "ed25519"


_SIZES: dict[KeyAlgorithm, tuple[int, ...]] = {
    KeyAlgorithm.RSA: (2048, 3072, 4096),
    KeyAlgorithm.ECDSA: (256, 384),
    KeyAlgorithm.ED25519: (256,),
}


class KeySpec(Document):
    """What kind of key to make."""

    algorithm: Annotated[KeyAlgorithm, IN_PLACE] = KeyAlgorithm.RSA
    """`rsa`, `ecdsa` or `ed25519`."""

    size: Annotated[WholeNumber | None, IN_PLACE] = None
    """Bits: 2048, 3072 or 4096 (RSA, default 4096), 256 or 384 (ECDSA, default 256)."""

    @model_validator(mode="after")
    def _size_fits(self) -> Self:
        if contains_unknown([self.algorithm, self.size]):
            return self
        sizes = _SIZES[self.algorithm]
        if self.size is None:
            object.__setattr__(self, "size", 4096 if self.algorithm is KeyAlgorithm.RSA else sizes[0])
        elif self.size not in sizes:
            choices = ", ".join(str(size) for size in sizes)
            raise Refusal(
                f"{self.algorithm} keys have no {self.size} bits", f"Choose one of {choices}.", field="size"
            )
        return self


class KeysOnRenewal(StrEnum):
    """What becomes of the keys when certificates are made again."""

    ROTATE = "rotate"
    REUSE = "reuse"


class Subject(Document):
    """The name parts that the certificates of a bundle share; each adds a common name of its own."""

    organization: Annotated[Text | None, IN_PLACE] = None
    """The organization (O)."""

    organizational_unit: Annotated[Text | None, IN_PLACE] = None
    """The organizational unit (OU)."""

    email: Annotated[Text | None, IN_PLACE] = None
    """The email address (emailAddress)."""


class CertificateSource(StrEnum):
    """Where keys and certificates come from."""

    OWN = "own"
    """A CA of the bundle's own, which the stack keeps."""
    PRISM = "prism"
    """Prism's certificate service, for one VM."""
    FILES = "files"
    """Files that somebody else made."""


class BroughtFiles(Document):
    """Keys and certificates that somebody else made: each the path of a file, or PEM.

    Files are PEM, DER or PKCS#12. What they hold counts, not where they are: `check` reads and converts them.
    """

    ca_certificate: Annotated[Text, IN_PLACE]
    """The CAs that both sides trust."""

    server_certificate: Annotated[Text | None, IN_PLACE] = None
    """The agent's certificate, intermediates after it."""

    server_key: Annotated[Text | None, IN_PLACE.as_secret()] = None
    """The agent's private key."""

    client_certificate: Annotated[Text | None, IN_PLACE] = None
    """The participants' certificate, intermediates after it."""

    client_key: Annotated[Text | None, IN_PLACE.as_secret()] = None
    """The participants' private key; left out where participants have keys of their own."""

    passphrase: Annotated[Text | None, IN_PLACE.as_secret(write_only=True)] = None
    """What opens encrypted keys; used once and not kept."""


class ServerNames(Document):
    """What one more server is reached by."""

    dns_names: Annotated[tuple[DnsName, ...], IN_PLACE] = ()
    """The names that it is reached by."""

    ip_addresses: Annotated[tuple[IpAddress, ...], IN_PLACE] = ()
    """The addresses that it is reached by."""


class PermittedNames(Document):
    """The only names that a CA may certify (RFC 5280 section 4.2.1.10)."""

    dns_names: Annotated[tuple[Text, ...], IN_PLACE] = ()
    """Domains; each permits itself and what is below it."""

    ip_ranges: Annotated[tuple[Text, ...], IN_PLACE] = ()
    """Networks such as `10.0.0.0/8`, or single addresses."""


class IssuedParty(Document):
    """The certificate and the key of one more party."""

    certificate: Annotated[Pem, COMPUTED]
    """PEM."""

    private_key: Annotated[Pem, COMPUTED.as_secret()]
    """PEM."""


class CertificateSettings(Document):
    """What kind of keys and certificates to make, and when to make them again."""

    mode: Annotated[TlsMode, IN_PLACE] = TlsMode.MTLS
    """The TLS mode that the bundle serves."""

    source: Annotated[CertificateSource | None, REPLACE] = None
    """`own`, also when left out: a CA of its own. `prism`: Prism's certificate service. `files`: files that are brought."""

    vm: Annotated[Text | None, REPLACE] = None
    """The VM that Prism issues the certificates for; with the source `prism`."""

    files: Annotated[BroughtFiles | None, IN_PLACE] = None
    """The files that are brought; with the source `files`."""

    server_request: Annotated[Text | None, IN_PLACE] = None
    """A certificate request for a key that stays where the agent's is: a path, or PEM. Its private key is in no state."""

    client_request: Annotated[Text | None, IN_PLACE] = None
    """A certificate request for a key that stays with the participants: a path, or PEM."""

    common_name: Annotated[Text, IN_PLACE] = "prism-iac"
    """The name that the subjects begin with."""

    subject: Annotated[Subject, IN_PLACE] = Field(default_factory=Subject)
    """The name parts that the subjects share."""

    dns_names: Annotated[tuple[DnsName, ...], IN_PLACE] = ("localhost",)
    """The names that the agent is reached by."""

    ip_addresses: Annotated[tuple[IpAddress, ...], IN_PLACE] = ()
    """The addresses that the agent is reached by."""

    servers: Annotated[dict[Text, ServerNames] | None, IN_PLACE] = None
    """More servers besides the agent, by name; each gets a certificate of its own."""

    clients: Annotated[UniqueTexts | None, IN_PLACE] = None
    """More clients besides the participants' one, by name; each gets a certificate of its own."""

    intermediate: Annotated[bool | None, IN_PLACE] = None
    """Whether an intermediate CA signs the parties; it is made for each issue, and its key is kept nowhere."""

    permitted: Annotated[PermittedNames | None, IN_PLACE] = None
    """The only names that the CA may certify; any when left out."""

    key: Annotated[KeySpec, IN_PLACE] = Field(default_factory=KeySpec)
    """What kind of keys to make."""

    validity: Annotated[Duration, IN_PLACE] = "365d"
    """How long the certificates are valid."""

    renew_before: Annotated[Duration, IN_PLACE] = "30d"
    """How long before their end they are made again, and how long a change of the CA is announced before."""

    keys_on_renewal: Annotated[KeysOnRenewal | None, IN_PLACE] = None
    """`rotate`, also when left out: a renewal makes new keys. `reuse`: it keeps them."""

    @model_validator(mode="after")
    def _window_fits(self) -> Self:
        if contains_unknown([self.validity, self.renew_before]):
            return self
        if parse_duration(self.renew_before) >= parse_duration(self.validity):
            raise Refusal(
                f"renew_before {self.renew_before} is not shorter than validity {self.validity}",
                "Shorten renew_before, or the certificates are due as soon as they are made.",
                field="renew_before",
            )
        return self

    @model_validator(mode="after")
    def _source_has_what_it_needs(self) -> Self:
        if contains_unknown([self.source, self.files]):
            return self
        for field, source in _SOURCES_OF_FIELDS.items():
            value = getattr(self, field)
            is_given = value is not None and not contains_unknown(value)
            if is_given and (self.source or CertificateSource.OWN) is not source:
                raise Refusal(
                    f"{field} goes with the source {source}",
                    f"Write `source: {source}`, or remove it.",
                    field=field,
                )
        if self.source is CertificateSource.PRISM and self.vm is None:
            raise Refusal("Prism issues certificates for a VM", "Name it in vm.", field="source")
        if self.source is CertificateSource.FILES and self.files is None:
            raise Refusal("no files are named", "Name them in files.", field="source")
        return self

    @model_validator(mode="after")
    def _certificates_are_usable(self) -> Self:
        if contains_unknown([self.mode, self.source, self.dns_names, self.ip_addresses, self.key]):
            return self
        if not REQUIRED_TLS_FIELDS[self.mode] or self.source not in (None, CertificateSource.OWN):
            return self
        if not self.dns_names and not self.ip_addresses:
            raise Refusal(
                "the server's certificate names no address, so no client would accept it",
                "Set dns_names or ip_addresses to what the agent is reached by.",
                field="dns_names",
            )
        if self.key.algorithm is KeyAlgorithm.ED25519:
            raise Refusal(
                "gRPC has no TLS with Ed25519 certificates",
                "Choose the key algorithm rsa or ecdsa.",
                field="key",
            )
        return self


_SOURCES_OF_FIELDS: dict[str, CertificateSource] = {
    "vm": CertificateSource.PRISM,
    "files": CertificateSource.FILES,
    "server_request": CertificateSource.OWN,
    "client_request": CertificateSource.OWN,
    "servers": CertificateSource.OWN,
    "clients": CertificateSource.OWN,
    "permitted": CertificateSource.OWN,
    "intermediate": CertificateSource.OWN,
}


class CertificateBundle(CertificateSettings, ResourceModel):
    """A CA with the server and client certificates that a TLS mode asks for (prism-rest.md section 5.2)."""

    kind: ClassVar[str] = "CertificateBundle"

    workspace: Annotated[Text | None, REPLACE] = None
    """The workspace of the VM; with the source `prism`. Defaults to the provider's."""

    ca_certificate: Annotated[Pem | None, COMPUTED] = None
    """The CAs that both sides trust, PEM: the one that signs first, then the next and the old ones."""

    ca_key: Annotated[Pem | None, COMPUTED.as_secret()] = None
    """The private key of the CA that signs, PEM."""

    next_ca_key: Annotated[Pem | None, COMPUTED.as_secret()] = None
    """The private key of the next CA, PEM; none while no CA is announced."""

    next_ca_on: Annotated[str | None, COMPUTED] = None
    """When the next CA begins to sign, RFC 3339; whoever connects fetches the files anew before."""

    old_ca_until: Annotated[str | None, COMPUTED] = None
    """Until when an old CA stays trusted, RFC 3339."""

    server_certificate: Annotated[Pem | None, COMPUTED] = None
    """The agent's certificate, PEM; none where the mode has none."""

    server_key: Annotated[Pem | None, COMPUTED.as_secret()] = None
    """The agent's private key, PEM."""

    client_certificate: Annotated[Pem | None, COMPUTED] = None
    """The participants' certificate, PEM; mutual modes only."""

    client_key: Annotated[Pem | None, COMPUTED.as_secret()] = None
    """The participants' private key, PEM."""

    parties: Annotated[dict[str, IssuedParty] | None, COMPUTED.as_secret()] = None
    """What each of `servers` and `clients` gets, by `server-<name>` and `client-<name>`."""

    not_before: Annotated[str | None, COMPUTED] = None
    """When the certificates become valid, RFC 3339."""

    not_after: Annotated[str | None, COMPUTED] = None
    """When the first of the certificates ends, RFC 3339."""

    server_serial: Annotated[str | None, COMPUTED] = None
    """The serial number that Prism gave the agent's certificate, decimal."""

    client_serial: Annotated[str | None, COMPUTED] = None
    """The serial number that Prism gave the participants' certificate, decimal."""

    old_serials: Annotated[tuple[str, ...] | None, COMPUTED] = None
    """Serial numbers that are to be revoked once nobody uses their certificates."""

    standing: Annotated[str | None, COMPUTED] = None
    """What the last read found at Prism: `in use`, `old unused`, or `revoked`."""
