"""How a manager is reached: in clear, with TLS, or with mutual TLS (cocos-grpc.md section 6.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model.resources import ManagerTls
from prism_iac.pki import load_certificates, load_private_key

if TYPE_CHECKING:
    import grpc

__all__ = ["ManagerAccess", "read_access"]

_OPTIONS: Final = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),  # a repeated CreateVm makes a second VM
)


@dataclass(frozen=True, slots=True)
class ManagerAccess:
    """A manager's address and the files of its TLS mode, PEM; the key is not printed.

    Attributes:
        address: `host:port`.
        server_ca: Verifies the manager; None for a connection in clear.
        client_certificate: Shown to the manager, beside `client_key`.
    """

    address: str
    server_ca: bytes | None = None
    client_certificate: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The host of the address, as a gRPC target or a URL writes it."""
        return self.address.rpartition(":")[0]

    def open_channel(self) -> grpc.Channel:
        """A channel to the manager; the first call makes the connection."""
        import grpc

        if self.server_ca is None:
            return grpc.insecure_channel(self.address, options=_OPTIONS)
        credentials = grpc.ssl_channel_credentials(self.server_ca, self.client_key, self.client_certificate)
        return grpc.secure_channel(self.address, credentials, options=_OPTIONS)


def read_access(address: str, tls: ManagerTls | None, *, configured_key: str | None) -> ManagerAccess:
    """What a VM says of its manager, with the content of its files.

    Args:
        address: `host:port`.
        tls: The files, each as its path or as PEM text; None for a connection in clear.
        configured_key: The key of the provider's configuration, for a certificate that is given without one.

    Raises:
        InvalidInput: A file cannot be read or is none of PEM, or the certificate has no key.
    """
    if tls is None:
        return ManagerAccess(address)
    given = {name: getattr(tls, name) for name in ("server_ca", "client_certificate", "client_key")}
    if given["client_certificate"] and not given["client_key"]:
        given["client_key"] = configured_key
    findings = list(_missing(given))
    contents: dict[str, bytes] = {}
    for name, text in given.items():
        if text is not None:
            try:
                contents[name] = _read(name, text)
            except InvalidInput as refusal:
                findings += [replace(item, path=f"manager_tls.{name}") for item in refusal.findings]
    if findings:
        raise InvalidInput(findings)
    return ManagerAccess(address, **contents)


def _read(name: str, text: str) -> bytes:
    try:
        content = text.encode() if "-----BEGIN" in text else Path(text).read_bytes()
    except (OSError, ValueError) as error:
        # What should be the path of a key may be the key.
        shown = "the file" if name == "client_key" else repr(text)
        reason = error.strerror if isinstance(error, OSError) else "it is no path"
        raise InvalidInput(
            [Finding(message=f"{shown} cannot be read: {reason}", fix="Name a file of PEM.")]
        ) from None
    if name == "client_key":
        load_private_key(content)
    else:
        load_certificates(content)
    return content


def _missing(given: dict[str, str | None]) -> Iterator[Finding]:
    if given["client_certificate"] and not given["client_key"]:
        yield Finding(
            path="manager_tls.client_key",
            message="the certificate for the manager has no key",
            fix="Name its file, or run `pulumi config set --secret prism:managerKey`.",
        )
