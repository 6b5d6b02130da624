"""What this room issues, held field by field against what the commands of the recipe make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtensionOID

from prism_iac.model.resources import CertificateBundle
from prism_iac.pki import Bundle, issue_bundle
from tests.unit.pki.conftest import OpenSsl
from tests.unit.pki.recipe import ADDRESSES, make_by_recipe

IDENTIFIERS = {
    ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string,
}
"""They name keys, so they differ; which commands add them depends on the release of OpenSSL."""

BASIC_CONSTRAINTS = ExtensionOID.BASIC_CONSTRAINTS.dotted_string
KEY_USAGE = ExtensionOID.KEY_USAGE.dotted_string
ALTERNATIVE_NAMES = ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string

NOW = datetime.now(UTC).replace(microsecond=0)  # the commands read the machine's clock


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe's files and, beside them, ours with the default key and validity."""
    folder = tmp_path_factory.mktemp("recipe")
    make_by_recipe(folder)
    return folder


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    subject = {"organization": "Ultraviolet", "organizational_unit": "Agents", "email": "ops@example.com"}
    return issue_bundle(
        CertificateBundle.parse({"common_name": "iris", "subject": subject, **ADDRESSES}), now=NOW
    )


def _fields(pem: bytes | None) -> dict[str, object]:
    assert pem is not None
    certificate = x509.load_pem_x509_certificate(pem)
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return {
        "version": certificate.version,
        "signature": certificate.signature_algorithm_oid.dotted_string,
        "subject": certificate.subject.public_bytes().hex(),
        "issuer": certificate.issuer.public_bytes().hex(),
        "key": (key.key_size, key.public_numbers().e),
    } | {
        extension.oid.dotted_string: (extension.critical, extension.value.public_bytes().hex())
        for extension in certificate.extensions
        if extension.oid.dotted_string not in IDENTIFIERS
    }


def _differences(ours: bytes | None, recipe: Path) -> set[str]:
    one, other = _fields(ours), _fields(recipe.read_bytes())
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def test_the_servers_certificate_is_the_recipes_field_by_field(folder: Path, bundle: Bundle) -> None:
    assert _differences(bundle.server_certificate, folder / "server-cert.pem") == set()


def test_the_clients_certificate_is_the_recipes_but_names_no_address(folder: Path, bundle: Bundle) -> None:
    assert _differences(bundle.client_certificate, folder / "client-cert.pem") == {ALTERNATIVE_NAMES}
    assert ALTERNATIVE_NAMES not in _fields(bundle.client_certificate)


def test_the_ca_says_besides_what_it_may_sign(folder: Path, bundle: Bundle) -> None:
    assert _differences(bundle.ca_certificate, folder / "ca-cert.pem") == {BASIC_CONSTRAINTS, KEY_USAGE}


@pytest.mark.parametrize("name", ["ca", "server", "client"])
def test_it_ends_a_year_after_it_was_made_as_the_recipes(name: str, folder: Path, bundle: Bundle) -> None:
    recipe = x509.load_pem_x509_certificate((folder / f"{name}-cert.pem").read_bytes())
    ours = x509.load_pem_x509_certificate(getattr(bundle, f"{name}_certificate"))
    year = timedelta(days=365)
    assert recipe.not_valid_after_utc - recipe.not_valid_before_utc == year
    assert ours.not_valid_after_utc - NOW == year
    assert ours.not_valid_before_utc == NOW - timedelta(minutes=10)  # for peers whose clocks are late


def test_keys_have_the_form_and_mode_of_text_that_openssl_writes(folder: Path, bundle: Bundle) -> None:
    assert bundle.server_key is not None
    ours, recipe = bundle.server_key.splitlines(), (folder / "server-key.pem").read_bytes().splitlines()
    assert (ours[0], ours[-1], len(ours[1])) == (recipe[0], recipe[-1], len(recipe[1]))


@pytest.mark.parametrize("name", ["server", "client"])
def test_both_chains_verify_and_only_ours_does_so_strictly(
    name: str, folder: Path, bundle: Bundle, tmp_path: Path, openssl: OpenSsl
) -> None:
    (tmp_path / "ca-cert.pem").write_bytes(bundle.ca_certificate or b"")
    (tmp_path / f"{name}-cert.pem").write_bytes(getattr(bundle, f"{name}_certificate"))

    def verify(where: Path, *options: str) -> str:
        files = (str(where / "ca-cert.pem"), str(where / f"{name}-cert.pem"))
        ended = openssl("verify", *options, "-purpose", f"ssl{name}", "-CAfile", *files)
        return "" if ended.returncode == 0 else ended.stderr

    assert (verify(folder), verify(tmp_path), verify(tmp_path, "-x509_strict")) == ("", "", "")
    assert "key usage extension" in verify(folder, "-x509_strict")
