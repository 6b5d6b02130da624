"""Packages that the engine's generators make of the schema compile, and programs that use them.

`make languages` runs it; it takes minutes, so the usual tests check the schema alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from prism_iac.provider.native._schema import package_schema

HERE = Path(__file__).parent
CLI_MODULE = HERE.parents[1] / "prism_iac" / "toolchain" / "_cli_module"
TIME_LIMIT_SECONDS = 1200.0

pytestmark = pytest.mark.skipif(
    not os.environ.get("PRISM_IAC_LANGUAGES"), reason="takes minutes; `make languages` runs it"
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of every language, made by the generators of the engine's own version."""
    if shutil.which("go") is None:
        pytest.skip("there is no Go compiler, which the generators need")
    folder = tmp_path_factory.mktemp("packages")
    generator = folder / "generator"
    generator.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copy(CLI_MODULE / name, generator / name)
    shutil.copy(HERE / "generate.go", generator / "main.go")
    schema = folder / "schema.json"
    schema.write_text(json.dumps(package_schema()))
    run("go", "run", "-mod=mod", ".", str(schema), str(folder), cwd=generator)
    return folder


def test_a_go_program_compiles(packages: Path) -> None:
    package = packages / "go"
    found = re.search(r"github.com/pulumi/pulumi/sdk/v3 (v\S+)", (CLI_MODULE / "go.mod").read_text())
    assert found
    require = f"require github.com/pulumi/pulumi/sdk/v3 {found[1]}\n"
    (package / "go.mod").write_text(f"module prism-iac/sdk/go\n\ngo 1.25\n\n{require}")
    shutil.copy(CLI_MODULE / "go.sum", package / "go.sum")
    program = package / "program"
    program.mkdir()
    shutil.copy(HERE / "program.go", program / "main.go")
    run("go", "build", "-mod=mod", "./...", cwd=package)


def test_a_node_program_compiles(packages: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("there is no Node")
    package = packages / "nodejs"
    shutil.copy(HERE / "program.ts", package / "program.ts")
    run("npm", "install", "--silent", "--no-audit", "--no-fund", cwd=package)
    run("npx", "tsc", "--noEmit", "--strict", "--skipLibCheck", "program.ts", cwd=package)


def test_a_python_program_has_types(packages: Path) -> None:
    for file in (packages / "python").rglob("*.py"):
        compile(file.read_text(encoding="utf-8"), str(file), "exec")


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=TIME_LIMIT_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
