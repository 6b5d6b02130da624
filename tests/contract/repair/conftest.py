from __future__ import annotations

from tests.contract.lifecycle.conftest import addition, data, numbers, stage

__all__ = ["addition", "data", "numbers", "stage"]
