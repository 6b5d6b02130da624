from __future__ import annotations

import subprocess
import sys

import pytest

# Not pydantic: the library that reads arguments uses it for some of them.
HEAVY = (
    "prism_iac.model",
    "rich",
    "httpx",
    "grpc",
    "cryptography",
    "sqlalchemy",
    "fastapi",
    "pulumi",
    "yaml",
)

LOADED = f"""
import sys
sys.argv = ["prism-iac", *{{arguments}}]
from prism_iac.cli import main
try:
    main()
except SystemExit:
    pass
print(sorted(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["computations", "run", "--help"], ["lst"]])
def test_help_and_mistakes_load_no_library(arguments: list[str]) -> None:
    program = LOADED.format(arguments=arguments)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr.splitlines()[-1] == "[]"
