"""The resource class of a certificate bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PrismResource
from prism_iac.provider.dynamic import CertificateBundleProvider
from prism_iac.provider.resources._computation import AgentConfigArgs

__all__ = ["BroughtFilesArgs", "CertificateBundle", "KeySpecArgs", "SubjectArgs"]


class SubjectArgs(TypedDict, total=False):
    """The name parts that the certificates of a bundle share."""

    organization: Input[str]
    organizational_unit: Input[str]
    email: Input[str]


class KeySpecArgs(TypedDict, total=False):
    """What kind of key to make."""

    algorithm: Input[str]
    """`rsa`, `ecdsa` or `ed25519`."""
    size: Input[int]
    """Bits: 2048, 3072 or 4096 (RSA), 256 or 384 (ECDSA)."""


class BroughtFilesArgs(TypedDict, total=False):
    """Keys and certificates that somebody else made: each the path of a file, or PEM."""

    ca_certificate: Input[str]
    """The CAs that both sides trust."""
    server_certificate: Input[str]
    """The agent's certificate, intermediates after it."""
    server_key: Input[str]
    """The agent's private key; kept as a secret."""
    client_certificate: Input[str]
    """The participants' certificate, intermediates after it."""
    client_key: Input[str]
    """The participants' private key; kept as a secret."""
    passphrase: Input[str]
    """What opens encrypted keys; used once and not kept."""


class CertificateBundle(PrismResource, module="prism", name="CertificateBundle"):
    """A CA with the server and client certificates that a TLS mode asks for.

    Private keys are secret outputs. The certificates are made again inside `renew_before` of their end and
    whenever an input changes. A new CA is announced first: `ca_certificate` holds it beside the one that
    signs, until `next_ca_on`. To trust a new one alone and at once, replace the resource.
    """

    mode: Output[str]
    """The TLS mode that the bundle serves."""
    ca_certificate: Output[str | None]
    """The CAs that both sides trust, PEM: the one that signs first, then the next and the old ones."""
    ca_key: Output[str | None]
    """The private key of the CA that signs, PEM; secret."""
    next_ca_key: Output[str | None]
    """The private key of the next CA, PEM; secret."""
    next_ca_on: Output[str | None]
    """When the next CA begins to sign; whoever connects fetches the files anew before."""
    old_ca_until: Output[str | None]
    """Until when an old CA stays trusted."""
    server_certificate: Output[str | None]
    """The agent's certificate, PEM."""
    server_key: Output[str | None]
    """The agent's private key, PEM; secret."""
    client_certificate: Output[str | None]
    """The participants' certificate, PEM."""
    client_key: Output[str | None]
    """The participants' private key, PEM; secret."""
    parties: Output[dict[str, dict[str, str]] | None]
    """The certificate and key of each of `servers` and `clients`; secret."""
    not_before: Output[str | None]
    """When the certificates become valid."""
    not_after: Output[str | None]
    """When the first of the certificates ends."""
    server_serial: Output[str | None]
    """The serial number that Prism gave the agent's certificate."""
    client_serial: Output[str | None]
    """The serial number that Prism gave the participants' certificate."""
    old_serials: Output[list[str] | None]
    """Serial numbers that are revoked once nobody uses their certificates."""
    standing: Output[str | None]
    """What the last read found at Prism."""

    def __init__(
        self,
        resource_name: str,
        *,
        mode: Input[str] | None = None,
        common_name: Input[str] | None = None,
        subject: Input[SubjectArgs] | None = None,
        dns_names: Input[Sequence[Input[str]]] | None = None,
        ip_addresses: Input[Sequence[Input[str]]] | None = None,
        servers: Input[Mapping[str, Input[Mapping[str, Input[Sequence[Input[str]]]]]]] | None = None,
        clients: Input[Sequence[Input[str]]] | None = None,
        intermediate: Input[bool] | None = None,
        permitted: Input[Mapping[str, Input[Sequence[Input[str]]]]] | None = None,
        key: Input[KeySpecArgs] | None = None,
        validity: Input[str] | None = None,
        renew_before: Input[str] | None = None,
        keys_on_renewal: Input[str] | None = None,
        source: Input[str] | None = None,
        vm: Input[str] | None = None,
        files: Input[BroughtFilesArgs] | Input[Mapping[str, Input[str]]] | None = None,
        server_request: Input[str] | None = None,
        client_request: Input[str] | None = None,
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a certificate bundle.

        Args:
            resource_name: The logical name.
            mode: `none`, `tls`, `mtls` (the default), `atls` or `matls`.
            common_name: The name that the subjects begin with; `prism-iac` when left out.
            subject: The name parts that the subjects share.
            dns_names: The names that the agent is reached by; `localhost` when left out.
            ip_addresses: The addresses that the agent is reached by.
            servers: More servers besides the agent, by name: each with `dns_names` and `ip_addresses`.
            clients: More clients besides the participants' one, by name.
            intermediate: Let an intermediate CA sign the parties; its key is kept nowhere.
            permitted: The only names that the CA may certify: `dns_names` and `ip_ranges`.
            key: What kind of keys to make; RSA with 4096 bits when left out.
            validity: How long the certificates are valid; `365d` when left out.
            renew_before: How long before their end they are made again, and how long a change of the CA is
                announced before; `30d` when left out.
            keys_on_renewal: `rotate` (when left out) for new keys at each renewal, `reuse` to keep them.
            source: `own` (when left out), `prism` for Prism's certificate service, or `files`.
            vm: The id of the VM that Prism issues the certificates for.
            files: The files that are brought, PEM, DER or PKCS#12.
            server_request: A certificate request of the agent's key, in place of a key in state: a path, or PEM.
            client_request: The same of the participants' key.
            workspace: The workspace of the VM; the provider's when left out.
            opts: Resource options.
        """
        super().__init__(
            CertificateBundleProvider(),
            resource_name,
            {
                "mode": mode,
                "common_name": common_name,
                "subject": subject,
                "dns_names": dns_names,
                "ip_addresses": ip_addresses,
                "servers": servers,
                "clients": clients,
                "intermediate": intermediate,
                "permitted": permitted,
                "key": key,
                "validity": validity,
                "renew_before": renew_before,
                "keys_on_renewal": keys_on_renewal,
                "source": source,
                "vm": vm,
                "files": _with_secrets(files),
                "server_request": server_request,
                "client_request": client_request,
                "workspace": workspace,
            },
            outputs=(
                "ca_certificate",
                "ca_key",
                "next_ca_key",
                "next_ca_on",
                "old_ca_until",
                "server_certificate",
                "server_key",
                "client_certificate",
                "client_key",
                "parties",
                "not_before",
                "not_after",
                "server_serial",
                "client_serial",
                "old_serials",
                "standing",
            ),
            secret_outputs=("ca_key", "next_ca_key", "server_key", "client_key", "parties"),
            opts=opts,
        )

    def agent_config(self, tls: str, *, log_level: Input[str] | None = None) -> AgentConfigArgs:
        """The agent configuration of a computation that this bundle serves.

        Args:
            tls: The TLS mode: `tls`, `mtls` or `matls`.
            log_level: How much the agent logs.
        """
        args = AgentConfigArgs(
            tls=tls,
            cert_file=cast("Output[str]", self.server_certificate),
            server_key=cast("Output[str]", self.server_key),
        )
        if tls != "tls":
            args["server_ca_file"] = cast("Output[str]", self.ca_certificate)
            args["client_ca_file"] = cast("Output[str]", self.ca_certificate)
        if log_level is not None:
            args["log_level"] = log_level
        return args


def _with_secrets(files: Any) -> Any:
    if not isinstance(files, Mapping):
        return files
    return {
        name: value if name.endswith("certificate") else Output.secret(value) for name, value in files.items()
    }
