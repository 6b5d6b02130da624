"""The room as others see it."""

from __future__ import annotations

import subprocess
import sys

import prism_iac.backend


def test_every_public_name_can_be_imported() -> None:
    for name in prism_iac.backend.__all__:
        assert hasattr(prism_iac.backend, name)


def test_importing_the_room_loads_no_server() -> None:
    heavy = ("fastapi", "sqlalchemy", "alembic", "uvicorn", "grpc", "cryptography", "pydantic", "structlog")
    code = f"import sys, prism_iac.backend; print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
