"""How a manager is reached: what a VM says of it, with the content of its files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.hypervisor.cocos import (
    CocosManager,
    ManagerAccess,
    ManagerFailed,
    ManagerUnreachable,
    ReplyLost,
    read_access,
)
from prism_iac.model.resources import KeyAlgorithm, KeySpec, ManagerTls
from prism_iac.pki import Authority, IssuedCertificate

ADDRESS = "lab.example.com:7020"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
EC = KeySpec(algorithm=KeyAlgorithm.ECDSA)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("Test CA", key=EC, now=NOW, validity=DAY)


@pytest.fixture(scope="module")
def platform(authority: Authority) -> IssuedCertificate:
    return authority.issue(common_name="platform", key=EC, now=NOW, validity=DAY)


def refused(tls: ManagerTls, key: str | None = None) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal:
        read_access(ADDRESS, tls, configured_key=key)
    return {finding.path: finding.message for finding in refusal.value.findings}


def test_without_files_the_connection_is_in_clear() -> None:
    access = read_access(ADDRESS, None, configured_key="a key that nobody asks for")
    assert access == ManagerAccess(ADDRESS)
    assert access.host == "lab.example.com"


def test_the_host_of_an_ipv6_address_keeps_its_brackets() -> None:
    assert ManagerAccess("[2001:db8::7]:7020").host == "[2001:db8::7]"


def test_a_ca_alone_verifies_the_manager(authority: Authority) -> None:
    access = read_access(
        ADDRESS, ManagerTls(server_ca=authority.certificate_pem.decode()), configured_key=None
    )
    # A document strips white space around a text.
    assert access == ManagerAccess(ADDRESS, authority.certificate_pem.strip())


def test_each_file_is_named_by_its_path_or_given_as_text(
    tmp_path: Path, authority: Authority, platform: IssuedCertificate
) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)
    (tmp_path / "key.pem").write_bytes(platform.key_pem)
    tls = ManagerTls(
        server_ca=str(tmp_path / "ca.pem"),
        client_certificate=platform.certificate_pem.decode(),
        client_key=str(tmp_path / "key.pem"),
    )
    access = read_access(ADDRESS, tls, configured_key=None)
    assert access.server_ca == authority.certificate_pem
    assert access.client_certificate == platform.certificate_pem.strip()
    assert access.client_key == platform.key_pem


@pytest.mark.parametrize("is_path", [True, False])
def test_the_key_may_come_from_the_configuration(
    tmp_path: Path, authority: Authority, platform: IssuedCertificate, *, is_path: bool
) -> None:
    (tmp_path / "key.pem").write_bytes(platform.key_pem)
    tls = ManagerTls(
        server_ca=authority.certificate_pem.decode(), client_certificate=platform.certificate_pem.decode()
    )
    configured = str(tmp_path / "key.pem") if is_path else platform.key_pem.decode()
    assert read_access(ADDRESS, tls, configured_key=configured).client_key == platform.key_pem


def test_a_key_of_the_configuration_without_a_certificate_is_not_read(authority: Authority) -> None:
    tls = ManagerTls(server_ca=authority.certificate_pem.decode())
    assert read_access(ADDRESS, tls, configured_key="/nowhere").client_key is None


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    told = refused(
        ManagerTls(server_ca=str(tmp_path / "ca.pem"), client_certificate=str(tmp_path / "absent"))
    )
    assert told.keys() == {
        f"manager_tls.{name}" for name in ("server_ca", "client_certificate", "client_key")
    }
    assert told["manager_tls.client_key"] == "the certificate for the manager has no key"
    assert "absent' cannot be read: No such file" in told["manager_tls.client_certificate"]


@pytest.mark.parametrize("content", ["not PEM", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49\0AwEHBG0wawIBAQQg"])
def test_what_is_no_key_is_not_repeated(
    authority: Authority, platform: IssuedCertificate, content: str
) -> None:
    tls = ManagerTls(
        server_ca=authority.certificate_pem.decode(),
        client_certificate=platform.certificate_pem.decode(),
        client_key=content,
    )
    told = refused(tls)
    assert told.keys() == {"manager_tls.client_key"}
    assert content not in str(told)


def test_the_key_is_not_printed(authority: Authority, platform: IssuedCertificate) -> None:
    access = ManagerAccess(ADDRESS, authority.certificate_pem, platform.certificate_pem, platform.key_pem)
    assert "PRIVATE KEY" not in repr(access)


def test_a_host_that_has_no_address_was_never_told_of_a_vm() -> None:
    # RFC 6761 §6.4: no name below `invalid` exists.
    with (
        CocosManager(ManagerAccess("manager.invalid:7020"), patience_seconds=20) as manager,
        pytest.raises(ManagerUnreachable, match="cannot be reached") as lost,
    ):
        manager.remove("x")
    assert lost.value.retry_is_safe
    assert not isinstance(lost.value, ReplyLost | ManagerFailed)
