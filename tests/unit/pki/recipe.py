"""The commands by which people make test certificates (prism-rest.md section 5.2)."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["ADDRESSES", "SUBJECT", "make_by_recipe"]

SUBJECT = "/CN={name}/O=Ultraviolet/OU=Agents/emailAddress=ops@example.com"
ADDRESSES = {"dns_names": ("localhost", "agent.example"), "ip_addresses": ("10.0.0.7",)}

_EXTENSIONS = """\
[v3_req]
basicConstraints = CA:FALSE
keyUsage = nonRepudiation, digitalSignature, keyEncipherment
subjectAltName = DNS:localhost, DNS:agent.example, IP:10.0.0.7
"""


def make_by_recipe(folder: Path, *, bits: int = 4096) -> None:
    """Write `ca`, `server` and `client`, each with `-key.pem` and `-cert.pem`, into a folder."""
    (folder / "server-ext.cnf").write_text(_EXTENSIONS)
    new_key = ("-newkey", f"rsa:{bits}", "-sha256", "-nodes")
    _run(
        folder, "req", "-x509", *new_key, "-days", "365",
        "-keyout", "ca-key.pem", "-out", "ca-cert.pem", "-subj", SUBJECT.format(name="iris CA"),
    )  # fmt: skip
    for party in ("server", "client"):
        _run(
            folder, "req", *new_key, "-keyout", f"{party}-key.pem", "-out", f"{party}-req.pem",
            "-subj", SUBJECT.format(name=f"iris {party}"),
        )  # fmt: skip
    for party in ("server", "client"):
        _run(
            folder, "x509", "-req", "-in", f"{party}-req.pem", "-sha256", "-days", "365",
            "-CA", "ca-cert.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-out", f"{party}-cert.pem",
            "-extfile", "server-ext.cnf", "-extensions", "v3_req",
        )  # fmt: skip


def _run(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
