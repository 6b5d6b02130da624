"""What every test shares."""

from __future__ import annotations

import os

from hypothesis import settings

# How long one example takes says more about the machine than about the code. Where a commit is judged, the verdict
# must not be a matter of luck; by hand examples are drawn anew each time.
settings.register_profile("any-machine", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("any-machine")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case of bytes by its parameter: bytes are unreadable, and random ones differ between workers."""
    return argname if isinstance(val, bytes) else None
