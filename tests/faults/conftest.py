from __future__ import annotations

from tests.contract.lifecycle.conftest import data, stage

__all__ = ["data", "stage"]
