from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from prism_iac import __version__
from prism_iac.hypervisor.local._launch import PACKAGE, agent_digest, launch_measurement
from prism_iac.model import Platform


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for path, content in (("agent/_a.py", "a"), ("pki/_b.py", "b"), ("cli/_c.py", "c")):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(content)
    return tmp_path


def test_the_measurement_is_of_the_documented_description() -> None:
    description = f'{{"agent":"0123","form":1,"package":"{__version__}","platform":"sev-snp","vcpus":2}}'
    assert (
        launch_measurement(Platform.SEV_SNP, 2, agent_digest="0123")
        == hashlib.sha384(description.encode()).digest()
    )


def test_the_digest_of_the_agent_is_of_the_documented_lines(package: Path) -> None:
    def line(path: str, content: str) -> str:
        return f"{path}\0{hashlib.sha384(content.encode()).hexdigest()}\n"

    lines = line("agent/_a.py", "a") + line("pki/_b.py", "b")
    assert agent_digest(package) == hashlib.sha384(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        (lambda package: (package / "agent/_a.py").write_text("x"), True),
        (lambda package: (package / "agent/_a.py").rename(package / "agent/_z.py"), True),
        (lambda package: (package / "agent/_new.py").touch(), True),
        (lambda package: (package / "cli/_c.py").write_text("x"), False),
        (lambda package: (package / "agent/notes.txt").touch(), False),
    ],
)
def test_what_the_agent_is_made_of_and_nothing_else_changes_its_digest(
    package: Path,
    change: object,
    matters: bool,  # noqa: FBT001  # a column of the table
) -> None:
    before = agent_digest(package)
    change(package)  # type: ignore[operator]  # a column of the table
    assert (agent_digest(package) != before) is matters


def test_the_package_is_this_one() -> None:
    assert (PACKAGE / "agent" / "__main__.py").is_file()
