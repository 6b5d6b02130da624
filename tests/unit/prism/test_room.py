"""What the room shows, and what importing it costs."""

from __future__ import annotations

import inspect
import subprocess
import sys

from prism_iac import prism
from prism_iac.errors import PrismError, RemoteFailure
from prism_iac.prism import ApiError

HEAVY = ("httpx", "httpcore", "ssl", "http.client", "pulumi", "grpc", "fastapi", "sqlalchemy")


def test_importing_the_room_loads_no_http_library() -> None:
    program = f"import sys, prism_iac.prism; print(*[name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.split() == []


def test_every_public_name_is_there_and_says_what_it_gives() -> None:
    for name in prism.__all__:
        thing = getattr(prism, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name


def test_every_error_of_a_call_is_a_remote_failure_with_a_next_step() -> None:
    kinds = [
        thing
        for name in prism.__all__
        if inspect.isclass(thing := getattr(prism, name)) and issubclass(thing, PrismError)
    ]
    assert len(kinds) == 9
    for kind in kinds:
        assert issubclass(kind, ApiError)
        assert issubclass(kind, RemoteFailure)
        assert kind.advice.endswith(".")
