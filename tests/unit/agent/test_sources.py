"""Known answers of standards, and which addresses and names a source may have."""

from __future__ import annotations

import base64
import ipaddress
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from prism_iac.agent.server.sources import FetchFailed
from prism_iac.agent.server.sources._buckets import s3_request, signed_headers
from prism_iac.agent.server.sources._jwe import agreed_key, decoded
from prism_iac.agent.server.sources._layers import Budget, files_of
from prism_iac.agent.server.sources._network import is_allowed
from prism_iac.agent.server.sources._registry import Image, parse_image
from prism_iac.agent.server.sources._settings import AwsAccess
from prism_iac.model import SourceKind, kind_of_source

# Amazon S3 API Reference, "Signature Calculations for the Authorization Header", examples.
EXAMPLE = AwsAccess("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
THEN = datetime(2013, 5, 24, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("path", "headers", "signature"),
    [
        (
            "/test.txt",
            {"range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        ("/?lifecycle=", {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_signatures_are_those_that_amazon_publishes(
    path: str, headers: dict[str, str], signature: str
) -> None:
    signed = signed_headers(f"https://examplebucket.s3.amazonaws.com{path}", EXAMPLE, THEN, headers)
    assert signed["authorization"].rpartition("=")[2] == signature


def test_the_agreed_key_is_that_of_rfc_7518_appendix_c() -> None:
    d = decoded("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw")  # Bob's
    x, y = (
        decoded(text)
        for text in (
            "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
            "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
        )
    )
    own = ec.derive_private_key(int.from_bytes(d), ec.SECP256R1())
    peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    key = agreed_key(own.exchange(ec.ECDH(), peer), "A128GCM", 128, apu=b"Alice", apv=b"Bob")
    assert base64.urlsafe_b64encode(key) == b"VqqN6vgjbSBcIijNcacQGg=="


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "127.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",  # noqa: S104  # compared with, not bound to
        "224.0.0.1",
    ],
)
def test_addresses_of_this_machine_and_of_clouds_own_services_are_refused(address: str) -> None:
    assert not is_allowed(address, ())


@pytest.mark.parametrize("address", ["93.184.215.14", "10.0.0.5", "192.168.1.9", "2606:2800::1", "fd12::1"])
def test_public_and_private_addresses_are_allowed(address: str) -> None:
    assert is_allowed(address, ())


def test_a_network_can_be_allowed() -> None:
    assert is_allowed("127.0.0.1", [ipaddress.ip_network("127.0.0.0/8")])
    assert not is_allowed("169.254.169.254", [ipaddress.ip_network("127.0.0.0/8")])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"docker://r.example:5000/lab/a@{DIGEST}", Image("r.example:5000", "lab/a", DIGEST)),
        (f"oci:r.example/lab/a:1.2@{DIGEST}", Image("r.example", "lab/a", DIGEST)),
        (f"docker.io/library/a@{DIGEST}", Image("registry-1.docker.io", "library/a", DIGEST)),
        (f"lab/a@{DIGEST}", Image("registry-1.docker.io", "lab/a", DIGEST)),
    ],
)
def test_names_of_images(name: str, expected: Image) -> None:
    assert parse_image(name) == expected


@pytest.mark.parametrize("name", ["r.example/a:1", "r.example/a@sha256:ab", f"r.example/../a@{DIGEST}"])
def test_names_of_images_that_are_refused(name: str) -> None:
    with pytest.raises(FetchFailed):
        parse_image(name)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("docker://a/b", SourceKind.OCI_IMAGE),
        ("oci:a/b", SourceKind.OCI_IMAGE),
        ("ubuntu:latest", SourceKind.OCI_IMAGE),
        ("docker.io/library/ubuntu:latest", SourceKind.OCI_IMAGE),
        ("s3://a/b", SourceKind.S3),
        ("gs://a/b", SourceKind.GCS),
        ("https://a/b", SourceKind.HTTPS),
        ("http://a/b", SourceKind.HTTP),
        ("ftp://a/b", None),
        ("ubuntu", None),
    ],
)
def test_kinds_follow_from_urls(url: str, kind: SourceKind | None) -> None:
    assert kind_of_source(url) is kind


def test_objects_without_a_key_are_asked_for_anonymously() -> None:
    assert s3_request("s3://lab/a b.csv", AwsAccess(region="eu-1"), THEN) == (
        "https://lab.s3.eu-1.amazonaws.com/a%20b.csv",
        {},
    )


def test_a_header_that_states_a_long_continuation_is_not_read(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("run")
    entry.type, entry.size = tarfile.XHDTYPE, 4 << 30
    archive = tmp_path / "layer"
    archive.write_bytes(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(4096))
    with pytest.raises(FetchFailed, match="header in a layer is larger"):
        list(files_of(archive, lambda *_: True, tmp_path, Budget(1 << 30)))
