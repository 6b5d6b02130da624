"""`prism-iac identity`: a job's ID token from the forge, and the answer to whether it is trusted."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from tests.unit.cli.conftest import Ended, Run
from tests.unit.forge.stand_in import standing_in

CLAIMS: Final = {
    "repository": "research/platform",
    "job_workflow_ref": f"owner/prism_iac/.github/workflows/stacks.yml@{'5' * 40}",
    "ref": "refs/heads/main",
}


def test_a_token_goes_from_the_job_to_whoever_trusts_it_and_to_nobody_else(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(shown: bytes) -> Ended:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(shown)))
        return run("identity", "verify", "--trust", "trust.yaml")

    with standing_in() as server:
        server.key = generate_private_key(65537, 2048)
        now = int(time.time())
        server.claims = {**CLAIMS, "sub": "s", "iat": now, "exp": now + 300}
        said = "".join(f"  {name}: {value}\n" for name, value in CLAIMS.items())
        (here / "trust.yaml").write_text(f"issuer: {server.url}\naudience: prism\nclaims:\n{said}", "utf-8")
        ended = []
        for audience in ("prism", "other"):
            asked = run("identity", "token", "--audience", audience, "--output", "token", **server.github())
            assert asked.code == 0, asked.err
            token = (here / "token").read_text("utf-8")
            assert token not in asked.out + asked.err
            assert (here / "token").stat().st_mode & 0o777 == 0o600
            ended.append(verify(token.encode()))
        ended.append(verify(b"\xff"))
    trusted, refused, rubbish = ended
    assert (trusted.code, refused.code, rubbish.code) == (0, 4, 4)
    assert '"repository": "research/platform"' in trusted.out
    assert refused.out == ""


def test_trust_that_says_too_little_is_told_with_its_file(run: Run, here: Path) -> None:
    (here / "trust.yaml").write_text("issuer: https://forge.example\naudience: prism\nclaims: {}\n", "utf-8")
    ended = run("identity", "verify", "--trust", "trust.yaml")
    assert ended.code == 1
    assert "trust.yaml:1:1: claims: " in ended.err
