"""The life of an asset against the real backend."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from prism_iac.errors import Conflict, InvalidInput
from prism_iac.model import AssetKind
from prism_iac.prism import AssetContent
from tests.contract.lifecycle.stage import ADA, Stage


def test_checksum_and_name_come_from_the_file(stage: Stage, numbers: Path) -> None:
    asset = stage.dataset(numbers).state
    assert asset.checksum == hashlib.sha3_256(numbers.read_bytes()).hexdigest()
    assert asset.file_name == "numbers.txt"


def test_it_belongs_to_the_participant_who_brings_it(stage: Stage, numbers: Path) -> None:
    asset = stage.dataset(numbers)
    owner = stage.workspace.assets.get(asset.id).user_id
    assert owner == stage.session.user(ADA, stage.workspace_name).id


def test_a_repeated_create_finds_the_first_asset(stage: Stage, numbers: Path) -> None:
    first = stage.dataset(numbers)
    stage.begin_deployment()
    assert stage.dataset(numbers).id == first.id
    assert len(list(stage.workspace.assets.list())) == 1


def test_equal_files_under_two_names_are_two_assets(stage: Stage, numbers: Path) -> None:
    values: dict[str, Any] = {"asset_type": "dataset", "file": str(numbers), "description": "d"}
    assert stage.create("Asset", "one", **values).id != stage.create("Asset", "other", **values).id


def test_a_changed_file_changes_the_checksum_in_place(stage: Stage, numbers: Path) -> None:
    asset = stage.dataset(numbers)
    numbers.write_text("7\n")
    wanted = stage.check(
        "Asset", "numbers.txt", asset_type="dataset", provider=ADA, file=str(numbers), description="a dataset"
    )
    stage.update(asset, checksum=wanted["checksum"])
    found = stage.workspace.assets.get(asset.id).checksum
    assert found == hashlib.sha3_256(b"7\n").hexdigest()


def test_a_sha_256_in_place_of_the_checksum_is_recognised(stage: Stage, numbers: Path) -> None:
    sha256 = hashlib.sha256(numbers.read_bytes()).hexdigest()
    with pytest.raises(InvalidInput, match=r"is the SHA-256 of .*; Prism compares SHA3-256"):
        stage.check("Asset", "a", asset_type="dataset", file=str(numbers), checksum=sha256, description="d")


def test_a_checksum_of_another_file_is_refused(stage: Stage, numbers: Path) -> None:
    with pytest.raises(InvalidInput, match="does not match"):
        stage.check("Asset", "a", asset_type="dataset", file=str(numbers), checksum="0" * 64, description="d")


def test_a_file_that_is_not_there_is_refused(stage: Stage) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read missing\.csv"):
        stage.check("Asset", "a", asset_type="dataset", file="missing.csv", description="d")


def test_neither_file_nor_checksum_is_refused(stage: Stage) -> None:
    with pytest.raises(InvalidInput, match="give a file or its checksum"):
        stage.check("Asset", "a", asset_type="dataset", description="d")


def test_a_full_asset_has_no_drift(stage: Stage, numbers: Path) -> None:
    sample = numbers.with_name("sample.txt")
    sample.write_text("1\n")
    asset = stage.create(
        "Asset",
        "full",
        asset_type="dataset",
        provider=ADA,
        file=str(numbers),
        description="d",
        mime_type="text/plain",
        sample_file=str(sample),
    )
    assert stage.drift(asset) == {}
    assert stage.workspace.assets.get(asset.id).sample == b"1\n"


def test_a_description_changed_behind_the_back_is_drift(stage: Stage, numbers: Path) -> None:
    asset = stage.dataset(numbers)
    assets = stage.session.acting_for(ADA, stage.workspace_name).assets
    record = assets.get(asset.id)
    changed = record.description.replace("a dataset", "other")
    assets.update(asset.id, AssetContent(AssetKind.DATASET, changed, record.checksum, record.file_name))
    assert stage.drift(asset) == {"description": ("a dataset", "other")}


def test_one_that_is_linked_is_not_deleted(stage: Stage, numbers: Path) -> None:
    asset = stage.dataset(numbers)
    computation = stage.computation(datasets=[asset.id])
    with pytest.raises(Conflict, match=computation.id):
        stage.delete(asset)


def test_a_delete_of_what_is_gone_is_fine(stage: Stage, numbers: Path) -> None:
    asset = stage.dataset(numbers)
    stage.delete(asset)
    stage.delete(asset)
    assert stage.read(asset) is None
