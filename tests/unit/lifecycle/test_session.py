from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.errors import Conflict, InvalidInput
from prism_iac.lifecycle import EMBEDDED, Session, Settings


def test_a_session_that_may_not_start_the_backend_leaves_no_trace(tmp_path: Path) -> None:
    data = tmp_path / "data"
    session = Session(Settings(endpoint=EMBEDDED, data=data))
    with pytest.raises(Conflict, match="is not running"):
        session.workspace("research")
    session.close()
    assert not data.exists()


def test_a_hosted_prism_takes_credentials(tmp_path: Path) -> None:
    session = Session(Settings(endpoint="https://prism.example", data=tmp_path))
    with pytest.raises(InvalidInput, match="no credentials are configured"):
        session.workspace("research")
