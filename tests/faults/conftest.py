from __future__ import annotations

from tests.contract.lifecycle.conftest import addition, data, numbers, runnable, stage, vm

__all__ = ["addition", "data", "numbers", "runnable", "stage", "vm"]
