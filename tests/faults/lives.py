"""The lives of stacks that are cut off at every point: one for each of the main kinds, and one of runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from textwrap import dedent
from typing import Final

from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from prism_iac.testing.faults import Scenario, Step, World

__all__ = ["BUNDLE", "COMPUTATION", "LIVES", "POLICY", "PROJECT_FILE", "RUN", "VM"]

PROJECT_FILE: Final = "name: kills\nruntime: python\n"


def program(*parts: str) -> dict[str, str]:
    """The files of a program."""
    return {"__main__.py": "".join(map(dedent, ("import prism_iac\nimport pulumi\n", *parts)))}


def _computation(description: str) -> dict[str, str]:
    return program(f"""
        prism_iac.Computation("sum", description="{description}", agent={{"log_level": "info"}})
    """)


COMPUTATION: Final = Scenario(
    "Computation",
    (
        Step("create", files=_computation("adds numbers")),
        Step("update", files=_computation("adds all numbers")),
        Step("replace", files=_computation("adds all numbers"), arguments=("--replace", "**sum")),
        Step("delete", "destroy"),
    ),
    has_first_times=False,
)

_VM: Final = 'vm = prism_iac.ConfidentialVM("trainer", vcpus={vcpus}, ready_timeout="{patience}")\n'

VM: Final = Scenario(
    "ConfidentialVM",
    (
        Step("create", files=program(_VM.format(vcpus=1, patience="1m"))),
        Step("update", files=program(_VM.format(vcpus=1, patience="2m"))),
        Step("replace", files=program(_VM.format(vcpus=2, patience="2m"))),
        Step("delete", "destroy"),
    ),
)

_STANDING: Final = _VM.format(vcpus=1, patience="1m")
_AROUND: Final = Step("around", files=program(_STANDING))

_BUNDLES: Final = """
    kind = {{"algorithm": "ecdsa"}}
    prism_iac.CertificateBundle("own", key=kind, dns_names=["{name}"], source="{own}", vm={own_vm})
    prism_iac.CertificateBundle("issued", mode="mtls", key=kind, source="{issued}", vm={issued_vm})
"""


def _bundles(*, name: str = "localhost", is_swapped: bool = False) -> dict[str, str]:
    own, issued = ("own", "None"), ("prism", "vm.id")
    if is_swapped:
        own, issued = issued, own
    return program(
        _STANDING,
        _BUNDLES.format(name=name, own=own[0], own_vm=own[1], issued=issued[0], issued_vm=issued[1]),
    )


def _grow_old(world: World) -> None:
    """Let the certificates in state end soon, as they would after most of their time."""
    ended = world.run("stack", "export", "--file", "state.json")
    assert ended.code == 0, ended.text
    path = world.folder / "state.json"
    document = json.loads(path.read_bytes())
    now = datetime.now(UTC)
    for resource in document["deployment"]["resources"]:
        if resource["type"].endswith("CertificateBundle"):
            resource["outputs"] |= {
                "not_before": (now - timedelta(days=355)).isoformat(),
                "not_after": (now + timedelta(days=10)).isoformat(),
            }
    path.write_text(json.dumps(document))
    ended = world.run("stack", "import", "--file", "state.json")
    assert ended.code == 0, ended.text
    path.unlink()


BUNDLE: Final = Scenario(
    "CertificateBundle",
    (
        Step("create", files=_bundles()),
        Step("update", files=_bundles(name="example.com")),
        Step("renew", begin=_grow_old),
        Step("replace", files=_bundles(name="example.com", is_swapped=True)),
        Step("delete", files=_AROUND.files),
    ),
    around=_AROUND,
)

_POLICY: Final = 'prism_iac.AttestationPolicy("policy", vm=vm.id, path="{path}")\n'

POLICY: Final = Scenario(
    "AttestationPolicy",
    (
        Step("create", files=program(_STANDING, _POLICY.format(path="policy.json"))),
        Step("update", files=program(_STANDING, _POLICY.format(path="moved.json"))),
        Step(
            "replace",
            files=program(_STANDING, _POLICY.format(path="moved.json")),
            arguments=("--replace", "**policy"),
        ),
        Step("delete", files=_AROUND.files),
    ),
    around=_AROUND,
)

_RUNNABLE: Final = """
    from pathlib import Path

    ADA, GRACE = "ada@example.com", "grace@example.com"

    numbers = prism_iac.Asset(
        "numbers", asset_type="dataset", provider=ADA, file="numbers.txt", description="three numbers"
    )
    addition = prism_iac.Asset(
        "addition", asset_type="algorithm", provider=GRACE, file="addition.py", description="adds them"
    )
    computation = prism_iac.Computation(
        "sum", description="adds numbers", algorithm=addition.id, datasets=[numbers.id], result_consumers=[ADA]
    )
    keys = [
        prism_iac.PublicKey(
            f"key-{user}",
            computation=computation.id,
            user=f"{user}@example.com",
            key=Path(f"{user}.pub.pem").read_text(),
        )
        for user in ("ada", "grace")
    ]
"""

_RUN: Final = """
    prism_iac.ComputationRun(
        "run",
        computation=computation.id,
        vm=vm.id,
        triggers={{"version": "{version}"}},
        wait=False,
        stop_on_delete=True,
        opts=pulumi.ResourceOptions(depends_on=keys),
    )
"""


@cache
def _of_participants() -> Mapping[str, str]:
    keys = {
        f"{user}.pub.pem": generate_key_pair(KeyAlgorithm.ED25519).public_pem.decode()
        for user in ("ada", "grace")
    }
    return {"numbers.txt": "1\n2\n39\n", "addition.py": "print(42)\n", **keys}


RUN: Final = Scenario(
    "ComputationRun",
    (
        Step("run", files={**_of_participants(), **program(_STANDING, _RUNNABLE, _RUN.format(version=1))}),
        Step("run again", files=program(_STANDING, _RUNNABLE, _RUN.format(version=2))),
        Step("delete", files=_AROUND.files),
    ),
    around=_AROUND,
)

LIVES: Final = (COMPUTATION, VM, BUNDLE, POLICY, RUN)
