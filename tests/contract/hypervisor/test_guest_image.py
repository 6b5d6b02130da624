"""The guest image as it was built; with PRISM_IAC_GUEST=1 it is built anew, which takes downloads and a minute."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from prism_iac.hypervisor.qemu.guest import COMMAND_LINE, GuestImage, build_image, find_image

DOCUMENT = Path(__file__).parents[3] / "docs" / "qemu.md"


@pytest.fixture
def image() -> GuestImage:
    image = find_image(os.environ)
    if image is None:
        pytest.skip("the guest image of this code is not built; `make guest` builds it")
    return image


def _digests(image: GuestImage) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (image.kernel, image.initrd)}


def test_the_image_is_what_its_facts_say(image: GuestImage) -> None:
    facts = image.facts()
    assert facts["files"] == _digests(image)
    assert any(re.fullmatch(r"linux-image-[\d.]+-\d+-amd64", name) for name in facts["packages"])


def test_an_image_that_is_there_is_not_built_again(image: GuestImage) -> None:
    told: list[str] = []
    assert build_image(os.environ, report=told.append) == image
    assert told == []


@pytest.mark.skipif(
    not os.environ.get("PRISM_IAC_GUEST"),
    reason="two builds of the guest image take downloads and a minute; PRISM_IAC_GUEST=1 does them",
)
def test_the_same_packages_give_the_same_bytes(tmp_path: Path) -> None:
    builds = [
        build_image({"XDG_CACHE_HOME": str(tmp_path / name)}, report=lambda _: None)
        for name in ("one", "two")
    ]
    assert _digests(builds[0]) == _digests(builds[1])


def test_the_page_names_the_command_line_of_the_image() -> None:
    assert f"cmdline: {COMMAND_LINE}," in DOCUMENT.read_text(encoding="utf-8")
