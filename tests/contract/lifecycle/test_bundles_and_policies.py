"""Bundles and policies: what lives in state or in a file."""

from __future__ import annotations

import base64
import json
import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prism_iac.errors import Conflict
from prism_iac.lifecycle import HANDLERS, Live, diff
from tests.contract.lifecycle.stage import Stage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAST_KEY = {"algorithm": "ecdsa"}

EXPECTATIONS = {
    "policy": {"measurement": base64.b64encode(bytes(48)).decode(), "product": {"name": "SEV_PRODUCT_MILAN"}},
    "rootOfTrust": {"productLine": "Milan"},
}


class TestCertificateBundle:
    @pytest.fixture
    def bundle(self, stage: Stage) -> Live[Any]:
        stage.clock = NOW
        return stage.create("CertificateBundle", "tls", key=FAST_KEY, validity="90d", renew_before="30d")

    def is_due(self, stage: Stage, bundle: Live[Any], now: datetime) -> bool:
        stage.clock = now
        state = bundle.state.properties()
        context = stage.context("tls", bundle.state.identity)
        return bool(diff(HANDLERS["CertificateBundle"], state, bundle.state.inputs(), context))

    def test_a_refresh_changes_nothing(self, stage: Stage, bundle: Live[Any]) -> None:
        assert stage.drift(bundle) == {}

    def test_it_is_not_due_before_its_window(self, stage: Stage, bundle: Live[Any]) -> None:
        assert not self.is_due(stage, bundle, NOW + timedelta(days=59))

    def test_it_is_due_inside_its_window(self, stage: Stage, bundle: Live[Any]) -> None:
        assert self.is_due(stage, bundle, NOW + timedelta(days=60, seconds=1))

    def test_an_update_inside_the_window_makes_it_again(self, stage: Stage, bundle: Live[Any]) -> None:
        stage.clock = NOW + timedelta(days=61)
        renewed = stage.update(bundle).state
        assert renewed.server_certificate != bundle.state.server_certificate
        assert renewed.not_after > bundle.state.not_after

    @pytest.mark.fault(50)
    def test_another_window_alone_makes_nothing(self, stage: Stage, bundle: Live[Any]) -> None:
        kept = stage.update(bundle, renew_before="20d").state
        assert kept.server_certificate == bundle.state.server_certificate
        assert kept.renew_before == "20d"

    def test_another_name_makes_it_again(self, stage: Stage, bundle: Live[Any]) -> None:
        other = stage.update(bundle, dns_names=["agent.example.com"]).state
        assert other.server_certificate != bundle.state.server_certificate


class TestAttestationPolicy:
    @pytest.fixture
    def policy(self, stage: Stage) -> Live[Any]:
        return stage.create("AttestationPolicy", "p", path="policies/p.json", expectations=EXPECTATIONS)

    def test_the_file_says_what_was_declared(self, policy: Live[Any]) -> None:
        assert json.loads(Path(policy.state.path).read_text()) == EXPECTATIONS

    def test_one_from_a_vm_is_the_vms_own(self, stage: Stage, vm: Live[Any]) -> None:
        policy = stage.create("AttestationPolicy", "p", path="p.json", vm=vm.id)
        assert Path("p.json").read_text() == policy.state.document == vm.state.attestation_policy

    def test_a_file_that_is_gone_is_gone(self, stage: Stage, policy: Live[Any]) -> None:
        Path(policy.state.path).unlink()
        assert stage.read(policy) is None

    def test_a_file_that_cannot_be_read_is_not_gone(self, stage: Stage, policy: Live[Any]) -> None:
        path = Path(policy.state.path)
        path.unlink()
        path.mkdir()
        with pytest.raises(Conflict, match="cannot be read: Is a directory"):
            stage.read(policy)

    def test_a_file_that_was_edited_is_written_again(self, stage: Stage, policy: Live[Any]) -> None:
        Path(policy.state.path).write_text("{}")
        assert stage.read(policy) is None
        again = stage.create("AttestationPolicy", "p", path="policies/p.json", expectations=EXPECTATIONS)
        assert stage.read(again) is not None

    @pytest.mark.fault(40)
    def test_a_disk_without_room_keeps_the_file_of_before(self, stage: Stage, policy: Live[Any]) -> None:
        path = Path(policy.state.path)
        before = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        # A file that may not grow is refused as on a disk without room.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            with pytest.raises(OSError, match="too large"):
                stage.update(policy, expectations={"pcr_values": {"sha256": {"1": "11" * 32}}})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert {item.name: item.read_bytes() for item in path.parent.iterdir()} == {path.name: before}

    def test_a_new_path_moves_the_file(self, stage: Stage, policy: Live[Any]) -> None:
        stage.update(policy, path="other.json")
        assert Path("other.json").exists()
        assert not Path("policies/p.json").exists()

    def test_a_delete_removes_the_file(self, stage: Stage, policy: Live[Any]) -> None:
        stage.delete(policy)
        assert not Path(policy.state.path).exists()

    def test_a_delete_leaves_an_edited_file(self, stage: Stage, policy: Live[Any]) -> None:
        Path(policy.state.path).write_text("mine")
        stage.delete(policy)
        assert Path(policy.state.path).read_text() == "mine"
