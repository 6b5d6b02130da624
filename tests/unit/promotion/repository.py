"""A platform repository of three environments, and states of them as the engine exports them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from prism_iac.model import Manifest
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair
from prism_iac.promotion import Carried, promote
from prism_iac.spec import load_stack
from prism_iac.spec.lock import edit_lock, lock_path, render_manifest, resolve_pins

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE: Final = {
    "ada": KeyAlgorithm.ED25519,
    "grace": KeyAlgorithm.ECDSA,
    "eve": KeyAlgorithm.ED25519,
    "platform": KeyAlgorithm.ED25519,
    "mallory": KeyAlgorithm.ED25519,
}

BASE: Final = """\
participants:
  ada: {user: ada@example.com, public_key: ada.pub.pem}
  grace: {user: grace@example.com, public_key: grace.pub.pem}
  eve: {user: eve@example.com, public_key: eve.pub.pem}
assets:
  numbers: {kind: dataset, provider: ada, file: numbers.csv}
  code: {kind: algorithm, provider: grace, file: code.py}
  other-code: {kind: algorithm, provider: grace, file: other.py}
computations:
  fit: {description: Fits, algorithm: code, datasets: [numbers], result_consumers: [ada], agent: {tls: none}}
  other: {description: Others, algorithm: other-code, result_consumers: [ada], agent: {tls: none}}
"""

ENVIRONMENTS: Final = {
    "dev": "extends: base.yaml\nenvironment: dev\nworkspace: lab\n",
    "staging": "extends: base.yaml\nenvironment: staging\nworkspace: lab-staging\n",
    "prod": (
        "extends: base.yaml\nenvironment: prod\nworkspace: lab-prod\n"
        "promotion:\n  approvals: 2\n  approvers: [ada, grace, eve]\n  platform_key: platform.pub.pem\n"
    ),
}


class Repository:
    """The files and keys of a platform, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys: dict[str, KeyPair] = {name: generate_key_pair(kind) for name, kind in PEOPLE.items()}
        for name, pair in self.keys.items():
            self.write(f"{name}.pub.pem", pair.public_pem.decode())
        self.write("base.yaml", BASE)
        for name, text in ENVIRONMENTS.items():
            self.write(f"{name}.yaml", text)
        self.write("numbers.csv", "1\n2\n")
        self.write("code.py", "print(1)\n")
        self.write("other.py", "print(2)\n")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def stack(self, environment: str) -> Path:
        return self.folder / f"{environment}.yaml"

    def lock(self, environment: str) -> None:
        file = self.stack(environment)
        lock_path(file).write_text(edit_lock(None, resolve_pins(load_stack(file))), encoding="utf-8")

    def manifest(self, environment: str, name: str = "fit") -> Manifest:
        """The manifest as the Prism of an environment has it by now."""
        stack = load_stack(self.stack(environment))
        portable = render_manifest(stack.computations[name], stack)
        return portable.deployed(f"{environment}-{name}.0", workspace_alias=stack.workspace)

    def state(
        self, environment: str, *names: str, ended: datetime = NOW - timedelta(days=1), **run: Any
    ) -> list[dict[str, Any]]:
        """The state once computations have completed a run; `run` is laid over the outputs of the run."""
        resources = []
        for number, name in enumerate(names or ("fit", "other"), start=1):
            manifest = self.manifest(environment, name)
            computation = {"name": name, "manifest": manifest.canonical_bytes().decode()}
            outputs = {
                "computation": manifest.id,
                "number": number,
                "status": "completed",
                "manifest_sha3_256": manifest.digest().hex(),
                "result_sha3_256": "ab" * 32,
                "end_time": ended.isoformat(),
            }
            prefix = "pulumi-python:dynamic/prism:"
            resources += [
                {"type": f"{prefix}Computation", "id": manifest.id, "outputs": computation},
                {"type": f"{prefix}ComputationRun", "id": f"run-{name}", "outputs": outputs | run},
            ]
        return resources

    def promote(
        self,
        source: str,
        target: str,
        *names: str,
        by: str = "grace",
        state: Sequence[dict[str, Any]] | None = None,
        max_age: timedelta = timedelta(days=30),
        now: datetime = NOW,
    ) -> Carried:
        return promote(
            self.stack(source),
            self.stack(target),
            names,
            resources=self.state(source) if state is None else state,
            key_pem=self.keys[by].private_pem,
            now=now,
            max_age=max_age,
        )

    def contents(self) -> dict[str, bytes]:
        """Every file by its path, to see that nothing was written."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}
