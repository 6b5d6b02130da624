"""Decisions D41 to D46: certificates, downloads, the CA and OCSP."""

from __future__ import annotations

import base64
import io
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from prism_iac.backend._certificates import VALIDITY, cvm_uri
from prism_iac.backend.store import Database
from prism_iac.pki import check_certificate
from tests.unit.backend.bridge import LoopThread
from tests.unit.backend.support import Person, Prism, Workspace

ZIP = {"Accept": "application/zip"}


def download(person: Person, lab: Workspace, name: str, serial: str, **rest: Any) -> Any:
    token = person.ok("GET", f"{lab.certs}/{serial}/download/token")["token"]
    return person.get(f"{lab.certs}/{name}/download", params={"downloadToken": token}, **rest)


def issued(person: Person, lab: Workspace, cvm: str) -> str:
    serial: str = person.ok("POST", f"{lab.certs}/issue/cvm/{cvm}", {"ip_addresses": []})["serial_number"]
    return serial


@pytest.mark.parametrize("kind", ["cvm", "computation", "backend"])
def test_d41_a_certificate_is_issued_under_each_name_of_a_cvm(
    prism: Prism, ada: Person, lab: Workspace, kind: str
) -> None:
    cvm = lab.cvm()
    response = ada.post(f"{lab.certs}/issue/{kind}/{cvm}", {"ip_addresses": ["192.0.2.7", "2001:db8::1"]})
    record = response.json()
    assert response.status_code == 201
    assert record["serial_number"].isdecimal()
    assert (record["entity_id"], record["entity_type"]) == (cvm, kind)
    files = download(ada, lab, record["serial_number"], record["serial_number"]).json()
    pem, key, ca = (base64.b64decode(files[name]) for name in ("certificate", "private_key", "ca"))
    names = ("192.0.2.7", "2001:db8::1")
    assert not check_certificate(pem, now=prism.clock(), ca_pem=ca, key_pem=key, names=names)
    found = x509.load_pem_x509_certificate(pem)
    assert str(found.serial_number) == record["serial_number"]
    uris = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert uris.get_values_for_type(x509.UniformResourceIdentifier) == [cvm_uri(cvm)]


def test_d41_addresses_are_checked_and_may_be_left_out(ada: Person, lab: Workspace) -> None:
    path = f"{lab.certs}/issue/cvm/{lab.cvm()}"
    assert ada.post(path, {"ip_addresses": ["localhost"]}).status_code == 400
    assert ada.post(path, {}).status_code == 201
    assert ada.post(path).status_code == 201
    assert ada.post(f"{lab.certs}/issue/vm/x", {}).status_code == 400
    assert ada.post(f"{lab.certs}/issue/cvm/x", {}).status_code == 404


def test_a_removed_cvm_gets_no_certificate(ada: Person, lab: Workspace) -> None:
    cvm = lab.cvm()
    ada.ok("DELETE", f"{lab.cvms}/{cvm}")
    assert ada.post(f"{lab.certs}/issue/cvm/{cvm}", {}).status_code == 409


def test_d42_lists_have_snake_case_and_no_files(ada: Person, lab: Workspace) -> None:
    cvm = lab.cvm()
    serial = issued(ada, lab, cvm)
    page = ada.ok("GET", lab.certs, params={"entity_id": cvm})
    assert (page["total"], page["certificates"][0]["serial_number"]) == (2, serial)
    assert page["certificates"][0].keys() == {
        "serial_number",
        "entity_type",
        "entity_id",
        "revoked",
        "expiry_time",
        "certificate",
        "key",
        "download_url",
    }
    assert page["certificates"][0]["certificate"] is page["certificates"][0]["key"] is None


def test_d43_a_download_by_entity_gives_the_certificate_that_its_token_is_for(
    ada: Person, lab: Workspace
) -> None:
    cvm = lab.cvm()
    first, second = issued(ada, lab, cvm), issued(ada, lab, cvm)

    def serial_of(response: Any) -> str:
        pem = base64.b64decode(response.json()["certificate"])
        return str(x509.load_pem_x509_certificate(pem).serial_number)

    assert serial_of(download(ada, lab, cvm, second)) == second
    assert serial_of(download(ada, lab, cvm, first)) == first
    ada.ok("PATCH", f"{lab.certs}/{second}/revoke")
    assert download(ada, lab, cvm, second).status_code == 401
    assert serial_of(download(ada, lab, cvm, first)) == first


def test_d43_a_download_token_serves_once_for_its_certificate_within_five_minutes(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    cvm = lab.cvm()
    first, second = issued(ada, lab, cvm), issued(ada, lab, cvm)

    def token_for(serial: str) -> str:
        token: str = ada.ok("GET", f"{lab.certs}/{serial}/download/token")["token"]
        return token

    def status(serial: str, **query: str) -> int:
        return ada.get(f"{lab.certs}/{serial}/download", params=query).status_code

    token = token_for(first)
    assert status(first) == 401
    assert status(first, downloadToken="x") == 401
    assert status(second, downloadToken=token) == 401
    assert status(first, downloadToken=token) == 200
    assert status(first, downloadToken=token) == 401
    assert status(first, token=token_for(first)) == 200
    late = token_for(first)
    prism.clock.advance(minutes=5)
    assert status(first, downloadToken=late) == 401


def test_d43_a_download_is_a_zip_where_that_is_accepted(ada: Person, lab: Workspace) -> None:
    serial = issued(ada, lab, lab.cvm())
    response = download(ada, lab, serial, serial, headers=ZIP)
    assert response.headers["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert sorted(archive.namelist()) == ["ca.pem", "cert.pem", "key.pem"]
    assert archive.read("key.pem").startswith(b"-----BEGIN PRIVATE KEY-----")


def test_d44_a_renewal_moves_the_end_and_keeps_key_and_serial(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    cvm = lab.cvm()
    serial = issued(ada, lab, cvm)
    before = download(ada, lab, serial, serial).json()
    prism.clock.advance(minutes=30)
    response = ada.patch(f"{lab.certs}/{serial}/renew")
    assert (response.status_code, response.content) == (200, b"")
    after = download(ada, lab, serial, serial).json()
    assert after["private_key"] == before["private_key"]
    old, new = (x509.load_pem_x509_certificate(base64.b64decode(f["certificate"])) for f in (before, after))
    assert old.serial_number == new.serial_number
    assert new.not_valid_after_utc - old.not_valid_after_utc == timedelta(minutes=30)
    assert abs(new.not_valid_after_utc - prism.clock() - VALIDITY) < timedelta(seconds=2)


def test_d44_a_revoked_certificate_is_over_and_cannot_be_renewed(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    serial = issued(ada, lab, lab.cvm())
    for _ in range(2):
        response = ada.patch(f"{lab.certs}/{serial}/revoke")
        assert (response.status_code, response.content) == (200, b"")
    (record, _) = ada.ok("GET", lab.certs)["certificates"]
    assert record["revoked"] is True
    assert record["expiry_time"] < prism.clock().isoformat()
    assert ada.patch(f"{lab.certs}/{serial}/renew").status_code == 409
    assert prism.agents.dropped_certificates == [serial]


def test_certificates_of_an_entity_are_removed_together(prism: Prism, ada: Person, lab: Workspace) -> None:
    cvm, other = lab.cvm("one"), lab.cvm("two")
    serial = issued(ada, lab, cvm)
    assert ada.delete(lab.certs).status_code == 400
    assert ada.delete(lab.certs, params={"entity_id": cvm}).status_code == 204
    (left,) = ada.ok("GET", lab.certs)["certificates"]
    assert left["entity_id"] == other
    assert serial in prism.agents.dropped_certificates


def test_d45_the_ca_is_downloaded_in_two_steps(prism: Prism, ada: Person) -> None:
    def token() -> str:
        found: str = ada.ok("GET", "/certs/certs/get-ca/token")["token"]
        return found

    pem = ada.get("/certs/certs/download-ca", params={"token": token()})
    assert pem.content == prism.services.certificates.ca_pem
    archive = ada.get("/certs/certs/download-ca", params={"token": token()}, headers=ZIP)
    assert zipfile.ZipFile(io.BytesIO(archive.content)).read("ca.pem") == pem.content
    used = token()
    ada.get("/certs/certs/download-ca", params={"token": used})
    assert ada.get("/certs/certs/download-ca", params={"token": used}).status_code == 401
    assert ada.get("/certs/certs/download-ca").status_code == 401


def test_d46_openssl_verifies_the_status_of_good_revoked_and_unknown_certificates(
    database: Database, loop_thread: LoopThread, tmp_path: Path
) -> None:
    # openssl judges by the machine's clock
    prism = Prism(database, tmp_path, loop_thread, start=datetime.now(UTC) - timedelta(minutes=1))
    ada = prism.person("ada")
    lab = prism.workspace(ada)
    cvm = lab.cvm()
    good, revoked, unknown = (issued(ada, lab, cvm) for _ in range(3))
    for serial in (good, revoked, unknown):
        pem = base64.b64decode(download(ada, lab, serial, serial).json()["certificate"])
        (tmp_path / f"{serial}.pem").write_bytes(pem)
    ada.ok("PATCH", f"{lab.certs}/{revoked}/revoke")
    words = {serial: ask_ocsp(prism, tmp_path, serial) for serial in (good, revoked)}
    ada.ok("DELETE", lab.certs, params={"entity_id": cvm})
    words[unknown] = ask_ocsp(prism, tmp_path, unknown)
    assert words == {good: "good", revoked: "revoked", unknown: "unknown"}


def ask_ocsp(prism: Prism, folder: Path, serial: str) -> str:
    """What `openssl ocsp` makes of the answer, whose signature it verifies."""
    common = [
        "openssl",
        "ocsp",
        "-issuer",
        "ca.pem",
        "-cert",
        f"{serial}.pem",
        "-CAfile",
        "ca.pem",
        "-no_nonce",
    ]
    subprocess.run([*common, "-reqout", "request.der"], check=True, cwd=folder, capture_output=True)
    headers = {"Content-Type": "application/ocsp-request"}
    request = (folder / "request.der").read_bytes()
    response = prism.client.post("/certs/ocsp", content=request, headers=headers)
    assert response.headers["Content-Type"] == "application/ocsp-response"
    (folder / "response.der").write_bytes(response.content)
    said = subprocess.run(
        [*common, "-respin", "response.der"], check=True, cwd=folder, capture_output=True, text=True
    )
    assert "Response verify OK" in said.stderr
    return said.stdout.splitlines()[0].partition(": ")[2]


def test_d46_another_content_type_or_a_foreign_request_is_refused(prism: Prism) -> None:
    assert prism.client.post("/certs/ocsp", json={}).status_code in (400, 415)
    headers = {"Content-Type": "text/plain"}
    assert prism.client.post("/certs/ocsp", content=b"x", headers=headers).status_code == 415
    headers = {"Content-Type": "application/ocsp-request"}
    assert prism.client.post("/certs/ocsp", content=b"x", headers=headers).status_code == 200
