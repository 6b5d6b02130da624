"""The life of an asset against the real backend."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prism_iac.errors import Conflict, InvalidInput, PartialResult
from prism_iac.lifecycle import Live
from prism_iac.model import AssetKind, RemoteSource
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


@pytest.mark.fault(74)
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


def fetched(stage: Stage, kind: str = "dataset", **values: Any) -> Live[Any]:
    given: dict[str, Any] = {"checksum": "ab" * 32, "description": "d", "source": {"url": URL}}
    return stage.create("Asset", "fetched", asset_type=kind, **(given | values))


URL = "https://data.example.com/iris%20set.csv?version=2"


def test_one_that_is_fetched_takes_its_name_from_the_url(stage: Stage) -> None:
    asset = fetched(stage)
    assert asset.state.file_name == "iris set.csv"
    assert stage.drift(asset) == {}


def test_a_create_that_finds_its_asset_takes_another_source_back(stage: Stage) -> None:
    first = fetched(stage)
    stage.begin_deployment()
    assert fetched(stage, source=None).id == first.id
    assert stage.workspace.assets.get(first.id).source is None


@pytest.mark.parametrize(
    ("kind", "source", "told"),
    [
        ("dataset", {"url": URL, "runtime": "python"}, r"source\.runtime: a dataset has no runtime"),
        ("dataset", {"url": f"docker://r.example.com/a@sha256:{'0' * 64}"}, "file_name"),
        ("algorithm", {"url": URL}, r"source\.runtime: nobody tells the agent"),
        ("algorithm", {"url": URL, "runtime": "bin", "decompress": True}, r"source\.decompress"),
        ("dataset", {"url": URL, "encrypted": True}, r"source\.kbs_url: an encrypted object has a key"),
        ("dataset", {"url": URL, "kbs_url": "https://kbs.example.com"}, "is not encrypted needs no key"),
        ("dataset", {"url": "https://ada:word@data.example.com/iris.csv"}, "holds a password"),
        ("dataset", {"url": "https://lab.s3.amazonaws.com/iris?X-Amz-Signature=word"}, "or a signature"),
        ("dataset", {"url": "docker://r.example.com/iris:1"}, "an image without its digest"),
        ("dataset", {"url": "ftp://data.example.com/iris.csv"}, "a scheme that no agent fetches from"),
        ("dataset", {"url": "s3://lab"}, "names no object"),
    ],
)
def test_a_source_that_no_agent_could_use_is_refused(
    stage: Stage, kind: str, source: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        fetched(stage, kind, source=source)
    assert "word" not in str(caught.value).replace("password", "")


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Prism that ignores the field, as one does that has the documented routes alone."""
    told = AssetContent.to_json

    def without_source(content: AssetContent) -> dict[str, Any]:
        body = told(content)
        body["asset"].pop("source", None)
        return body

    monkeypatch.setattr(AssetContent, "to_json", without_source)


@pytest.mark.usefixtures("forgetful")
def test_a_prism_that_keeps_no_sources_is_found_out_and_what_was_made_is_not_lost(
    stage: Stage, numbers: Path
) -> None:
    with pytest.raises(PartialResult, match="this Prism keeps no sources") as caught:
        fetched(stage)
    assert "source" not in caught.value.state
    (made,) = stage.workspace.assets.list()
    assert made.id == caught.value.id
    asset = stage.dataset(numbers)
    with pytest.raises(Conflict, match="this Prism keeps no sources"):
        stage.update(asset, source={"url": URL})


def test_a_source_is_frozen_while_a_run_uses_it(stage: Stage, runnable: Live[Any], vm: Live[Any]) -> None:
    run = stage.create("ComputationRun", "run", computation=runnable.id, vm=vm.id, wait=False)
    asset_id = runnable.state.datasets[0]
    record = stage.workspace.assets.get(asset_id)
    assets = stage.session.acting_for(ADA, stage.workspace_name).assets
    content = AssetContent(AssetKind.DATASET, record.description, record.checksum, record.file_name)
    with pytest.raises(Conflict, match="its checksum, file name and source are fixed"):
        assets.update(asset_id, replace(content, source=RemoteSource(url=URL)))
    stage.delete(stage.update(run, stop_on_delete=True))


@pytest.mark.fault(23)
def test_one_that_is_linked_is_not_deleted(stage: Stage, numbers: Path) -> None:
    asset = stage.dataset(numbers)
    computation = stage.computation(datasets=[asset.id])
    with pytest.raises(Conflict, match=computation.id):
        stage.delete(asset)


@pytest.mark.fault(21)
def test_a_delete_of_what_is_gone_is_fine(stage: Stage, numbers: Path) -> None:
    asset = stage.dataset(numbers)
    stage.delete(asset)
    stage.delete(asset)
    assert stage.read(asset) is None
