"""Files that people bring, made by the commands that people use."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.pki import (
    Authority,
    IssuedCertificate,
    load_certificates,
    load_private_key,
    loose_mode,
    private_pem,
    read_certificates,
    read_private_key,
)
from prism_iac.pki._form import TO_CERTIFICATE, TO_KEY, Form, form_of
from tests.unit.pki.conftest import FAST_KEY

PASSPHRASE = b"correct horse battery staple"

_MAKE = {
    "cert.pem": "",
    "private.pem": "",
    "cert.der": "x509 -in cert.pem -outform DER -out cert.der",
    "key.der": "pkey -in private.pem -outform DER -out key.der",
    "sealed.der": "pkcs8 -topk8 -in private.pem -outform DER -out sealed.der -passout {pass}",
    "sealed-pbe.der": "pkcs8 -topk8 -v1 PBE-SHA1-3DES -in private.pem -outform DER -out sealed-pbe.der -passout {pass}",
    "sealed.pem": "pkcs8 -topk8 -in private.pem -out sealed.pem -passout {pass}",
    "legacy.pem": "ec -in private.pem -aes256 -out legacy.pem -passout {pass}",
    "certs.p7b": "crl2pkcs7 -nocrl -certfile cert.pem -outform DER -out certs.p7b",
    "keys.p12": "pkcs12 -export -in cert.pem -inkey private.pem -out keys.p12 -passout {pass}",
    "open.p12": "pkcs12 -export -in cert.pem -inkey private.pem -out open.p12 -passout pass:",
    "only-cert.p12": "pkcs12 -export -in cert.pem -nokeys -out only-cert.p12 -passout {pass}",
    "req.der": "req -new -key private.pem -subj /CN=x -outform DER -out req.der",
}


@dataclass(frozen=True)
class Files:
    folder: Path
    leaf: IssuedCertificate

    def __getitem__(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


@pytest.fixture(scope="module")
def files(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("forms")
    leaf = authority.issue(
        common_name="agent",
        dns_names=["localhost"],
        key=FAST_KEY,
        now=datetime.fromisoformat("2026-03-01T12:00:00Z"),
        validity=timedelta(days=1),
    )
    (folder / "cert.pem").write_bytes(leaf.certificate_pem)
    (folder / "private.pem").write_bytes(leaf.key_pem)
    for command in filter(None, _MAKE.values()):
        _openssl(folder, command)
    (folder / "keys.jks").write_bytes(bytes.fromhex("feedfeed00000002") + b"\0" * 32)
    (folder / "mail.txt").write_bytes(b"hello")
    return Files(folder, leaf)


def _openssl(folder: Path, command: str) -> None:
    words = command.replace("{pass}", f"pass:{PASSPHRASE.decode().replace(' ', '#')}").split()
    arguments = [word.replace("#", " ") for word in words]
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


FORMS = {
    "cert.pem": Form.PEM,
    "sealed.pem": Form.PEM,
    "cert.der": Form.CERTIFICATE,
    "key.der": Form.KEY,
    "sealed.der": Form.KEY,
    "sealed-pbe.der": Form.KEY,
    "certs.p7b": Form.PKCS7,
    "keys.p12": Form.PKCS12,
    "req.der": Form.REQUEST,
    "keys.jks": Form.JAVA,
    "mail.txt": Form.OTHER,
}


@pytest.mark.parametrize("name", FORMS)
def test_the_form_of_a_file_is_known_by_its_beginning(name: str, files: Files) -> None:
    assert form_of(files[name]) is FORMS[name]


@pytest.mark.parametrize(
    "name", ["cert.pem", "cert.der", "certs.p7b", "keys.p12", "open.p12", "only-cert.p12"]
)
def test_certificates_come_in_every_form(name: str, files: Files) -> None:
    expected = load_certificates(files.leaf.certificate_pem)
    passphrase = None if name == "open.p12" else PASSPHRASE
    assert read_certificates(files[name], passphrase) == expected


@pytest.mark.parametrize(
    "name",
    [
        "private.pem",
        "key.der",
        "sealed.der",
        "sealed-pbe.der",
        "sealed.pem",
        "legacy.pem",
        "keys.p12",
        "open.p12",
    ],
)
def test_private_keys_come_in_every_form(name: str, files: Files) -> None:
    passphrase = None if name == "open.p12" else PASSPHRASE
    assert private_pem(read_private_key(files[name], passphrase)) == files.leaf.key_pem


@pytest.mark.parametrize("name", ["sealed.der", "sealed-pbe.der", "sealed.pem", "legacy.pem", "keys.p12"])
@pytest.mark.parametrize("passphrase", [None, b"", b"wrong canary passphrase"])
def test_without_its_passphrase_a_file_stays_shut_and_nothing_of_it_is_told(
    name: str, passphrase: bytes | None, files: Files
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_private_key(files[name], passphrase)
    told = str(refusal.value)
    assert "passphrase" in told
    assert refusal.value.findings[0].fix
    for secret in (b"canary", PASSPHRASE, *files.leaf.key_pem.splitlines()[1:-1]):
        assert secret.decode() not in told


def test_a_pkcs12_file_without_a_key_has_none(files: Files) -> None:
    with pytest.raises(InvalidInput, match=r"no private key in the PKCS#12"):
        read_private_key(files["only-cert.p12"], PASSPHRASE)


@pytest.mark.fault(48)
@pytest.mark.parametrize("name", ["cert.der", "certs.p7b", "keys.p12", "keys.jks"])
def test_a_certificate_that_is_to_be_pem_is_refused_with_the_command_that_converts_it(
    name: str, files: Files
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        load_certificates(files[name])
    assert f"`{TO_CERTIFICATE[FORMS[name]]}`" in refusal.value.findings[0].fix


@pytest.mark.parametrize("name", ["key.der", "keys.p12", "keys.jks"])
def test_a_key_that_is_to_be_pem_is_refused_with_the_command_that_converts_it(
    name: str, files: Files
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        load_private_key(files[name])
    assert f"`{TO_KEY[FORMS[name]]}`" in refusal.value.findings[0].fix


@pytest.mark.parametrize(
    ("form", "commands"),
    [(form, commands) for commands in (TO_CERTIFICATE, TO_KEY) for form in commands if form is not Form.JAVA],
)
def test_the_commands_that_convert_do_what_they_say(
    form: Form, commands: dict[Form, str], files: Files, tmp_path: Path
) -> None:
    for name in ("cert.der", "key.der", "certs.p7b", "keys.p12"):
        (tmp_path / name).write_bytes(files[name])
    program, *arguments = commands[form].split()
    assert program == "openssl"
    if form is Form.PKCS12:
        arguments += ["-passin", f"pass:{PASSPHRASE.decode()}"]
    subprocess.run([program, *arguments], cwd=tmp_path, check=True, capture_output=True)
    if commands is TO_KEY:
        assert private_pem(load_private_key((tmp_path / "private.pem").read_bytes())) == files.leaf.key_pem
    else:
        made = load_certificates((tmp_path / "cert.pem").read_bytes())
        assert made == load_certificates(files.leaf.certificate_pem)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o100600])
def test_a_key_that_only_its_owner_may_open_is_fine(mode: int) -> None:
    assert loose_mode(mode, "key.pem") is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o620, 0o100604])
def test_a_key_that_others_may_open_is_told_with_the_chmod_to_run(mode: int) -> None:
    finding = loose_mode(mode, "my keys/key.pem")
    assert finding is not None
    assert f"mode {mode & 0o777:04o}" in finding.message
    assert "`chmod 600 'my keys/key.pem'`" in finding.fix


_PREFIXES = [
    b"",
    b"0",
    bytes.fromhex("3082"),
    bytes.fromhex("3003020103"),
    bytes.fromhex("300b06092a864886f70d010702"),
]


@given(st.sampled_from(_PREFIXES), st.binary(), st.one_of(st.none(), st.binary(max_size=8)))
def test_no_bytes_make_the_readers_fail_otherwise(
    prefix: bytes, body: bytes, passphrase: bytes | None
) -> None:
    for read in (read_certificates, read_private_key):
        with pytest.raises(InvalidInput):
            read(prefix + body, passphrase)


def test_no_refusal_names_a_folder(files: Files) -> None:
    for name in ("keys.p12", "sealed.pem"):
        with pytest.raises(InvalidInput) as refusal:
            read_private_key(files[name])
        assert not re.search(r"(^|\s)/", str(refusal.value))
