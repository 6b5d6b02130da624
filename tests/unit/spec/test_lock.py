"""Locks: what files are resolved to, to the digest, and each difference told."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from prism_iac.errors import InvalidInput
from prism_iac.model.schema import schemas
from prism_iac.spec import load_stack
from prism_iac.spec.lock import edit_lock, read_lock, render_manifest, require_lock, resolve_pins
from tests.unit.spec.conftest import Workplace

STACK = """\
environment: dev
workspace: research
participants:
  ada: {user: ada@example.com, public_key: keys/ada.pub.pem}
  grace: {user: grace@example.com, public_key: keys/ada.pub.der}
assets:
  south: {kind: dataset, provider: ada, file: south.csv}
  north: {kind: dataset, provider: grace, checksum: CHECKSUM, file_name: north.csv}
  code: {kind: algorithm, provider: grace, file: code.py}
attestation_policies:
  declared: {expectations: {policy: {vmpl: 2}}, measurement: MEASUREMENT}
computations:
  fit:
    description: Fits
    algorithm: code
    datasets: [south, north]
    result_consumers: [ada, grace]
    agent: {tls: none}
""".replace("CHECKSUM", "0" + "a1" * 31 + "b").replace("MEASUREMENT", "c" * 96)

PATH = Path("stack.yaml")
FILES = {"stack.yaml": STACK, "south.csv": "1\n", "code.py": "print(1)\n"}


def lock_it(path: Path = PATH) -> str:
    text = edit_lock(None, resolve_pins(load_stack(path)))
    (path.parent / "stack.lock.yaml").write_text(text)
    return text


def findings(path: Path = PATH) -> list[str]:
    try:
        require_lock(path, load_stack(path))
    except InvalidInput as error:
        return [str(finding) for finding in error.findings]
    return []


def test_a_lock_says_the_digests_of_files_policies_and_manifests(workplace: Workplace) -> None:
    workplace(**FILES)
    stack = load_stack(PATH)
    document: Any = YAML(typ="safe").load(lock_it())
    assert document["assets"] == {
        "south": {"sha3_256": hashlib.sha3_256(b"1\n").hexdigest()},
        "north": {"sha3_256": "0" + "a1" * 31 + "b"},
        "code": {"sha3_256": hashlib.sha3_256(b"print(1)\n").hexdigest()},
    }
    assert document["attestation_policies"]["declared"]["measurement"] == "c" * 96
    manifest = render_manifest(stack.computations["fit"], stack)
    assert document["computations"] == {"fit": {"manifest_sha3_256": manifest.digest().hex()}}
    assert [item.filename for item in manifest.datasets] == ["north.csv", "south.csv"]
    Draft202012Validator(schemas()["lock"]).validate(document)
    Draft202012Validator(schemas()["manifest"]).validate(json.loads(manifest.canonical_bytes()))


def test_files_that_the_lock_says_are_fine(workplace: Workplace) -> None:
    workplace(**FILES)
    lock_it()
    assert findings() == []


def test_every_difference_is_one_finding_that_shows_both_sides_and_the_way_on(workplace: Workplace) -> None:
    folder = workplace(**FILES)
    text = lock_it()
    before = resolve_pins(load_stack(PATH))
    (folder / "south.csv").write_text("2\n")
    (folder / "stack.yaml").write_text(STACK.replace("vmpl: 2", "vmpl: 3").replace("c" * 96, "d" * 96))
    after = resolve_pins(load_stack(PATH))
    line = text.splitlines().index(f"    sha3_256: {before.assets['south'].sha3_256}") + 1
    told = findings()
    assert len(told) == 4
    assert told[0].startswith(f"stack.lock.yaml:{line}:15: assets.south.sha3_256: the lock says ")
    for name, old, new in (
        ("assets.south.sha3_256", before.assets["south"].sha3_256, after.assets["south"].sha3_256),
        ("attestation_policies.declared.measurement", "c" * 96, "d" * 96),
        (
            "computations.fit.manifest_sha3_256",
            before.computations["fit"].manifest_sha3_256,
            after.computations["fit"].manifest_sha3_256,
        ),
    ):
        assert any(
            f"{name}: the lock says {old}, the files say {new}\n"
            "  Bring the files back, or run `prism-iac lock --stack stack.yaml`." in text
            for text in told
        )


@pytest.mark.parametrize(
    ("was", "now", "named"),
    [
        ("description: Fits", "description: Fits well", "computations.fit"),
        ("result_consumers: [ada, grace]", "result_consumers: [ada]", "computations.fit"),
        ("file_name: north.csv", "file_name: n.csv", "computations.fit"),
        ("provider: grace, file: code.py", "provider: ada, file: code.py", ""),
        ("result_consumers: [ada, grace]", "result_consumers: [grace, ada]", ""),
        ("datasets: [south, north]", "datasets: [north, south]", ""),
    ],
)
def test_what_the_agent_is_told_is_pinned_and_spelling_is_not(
    workplace: Workplace, was: str, now: str, named: str
) -> None:
    folder = workplace(**FILES)
    lock_it()
    assert was in STACK
    (folder / "stack.yaml").write_text(STACK.replace(was, now))
    told = findings()
    assert bool(told) is bool(named)
    assert all(named in line for line in told)


def test_what_is_new_or_gone_is_told(workplace: Workplace) -> None:
    folder = workplace(**FILES)
    lock_it()
    more = STACK.replace("  code:", "  more: {kind: dataset, provider: ada, file: code.py}\n  code:")
    (folder / "stack.yaml").write_text(more)
    assert "assets.more.sha3_256: the lock says nothing, the files say " in findings()[0]
    (folder / "stack.yaml").write_text(more)
    (folder / "stack.lock.yaml").write_text(edit_lock(None, resolve_pins(load_stack(PATH))))
    (folder / "stack.yaml").write_text(STACK)
    assert ", the files say nothing" in findings()[0]


def test_without_a_lock_everything_goes_unless_the_stack_asks_for_one(workplace: Workplace) -> None:
    folder = workplace(**FILES)
    assert findings() == []
    (folder / "stack.yaml").write_text(STACK + "locked: true\n")
    (told,) = findings()
    assert told == (
        "stack.yaml:19:9: locked: an update needs stack.lock.yaml, and there is no such file\n"
        "  Run `prism-iac lock --stack stack.yaml`."
    )


def test_a_participant_without_a_key_cannot_be_pinned(workplace: Workplace) -> None:
    workplace(**{**FILES, "stack.yaml": STACK.replace(", public_key: keys/ada.pub.der", "")})
    with pytest.raises(InvalidInput) as caught:
        resolve_pins(load_stack(PATH))
    assert [finding.path for finding in caught.value.findings] == ["participants.grace.public_key"]
    assert caught.value.findings[0].line == 5


def test_a_lock_that_is_none_is_told_with_its_place(workplace: Workplace) -> None:
    folder = workplace(**FILES)
    lock = lock_it()
    (folder / "stack.lock.yaml").write_text(lock.replace("version: 1", "version: 2") + "more: 1\n")
    with pytest.raises(InvalidInput) as caught:
        read_lock(PATH)
    assert {(finding.path, finding.file) for finding in caught.value.findings} == {
        ("version", "stack.lock.yaml"),
        ("more", "stack.lock.yaml"),
    }


def test_a_file_that_many_computations_share_is_read_once(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace(**FILES)
    opened: list[str] = []
    really_open = Path.open

    def open_and_note(path: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(path.name)
        return really_open(path, *arguments, **options)

    text = STACK + "".join(
        f"  more-{number}: {{description: m, algorithm: code, datasets: [south], "
        "result_consumers: [ada], agent: {tls: none}}\n"
        for number in range(5)
    )
    Path("stack.yaml").write_text(text)
    stack = load_stack(PATH)
    monkeypatch.setattr(Path, "open", open_and_note)
    assert len(resolve_pins(stack).computations) == 6
    assert sorted(opened) == ["code.py", "south.csv"]


def test_comments_stay_when_a_lock_is_renewed(workplace: Workplace) -> None:
    folder = workplace(**FILES)
    lines = lock_it().splitlines()
    at = lines.index("  south:")
    lines.insert(at, "  # Agreed on with the hospital.")
    lines[at + 2] += "  # of 12 March"
    (folder / "south.csv").write_text("3\n")
    renewed = edit_lock("\n".join(lines) + "\n", resolve_pins(load_stack(PATH)))
    digest = hashlib.sha3_256(b"3\n").hexdigest()
    assert f"  # Agreed on with the hospital.\n  south:\n    sha3_256: {digest}  # of 12 March\n" in renewed
    (folder / "stack.lock.yaml").write_text(renewed)
    assert findings() == []


@given(data=st.binary(max_size=64), code=st.binary(max_size=64))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_the_files_are_a_lock_holds_them_and_nothing_else(
    workplace: Workplace, data: bytes, code: bytes
) -> None:
    folder = workplace(**FILES)
    (folder / "south.csv").write_bytes(data)
    (folder / "code.py").write_bytes(code)
    lock_it()
    assert findings() == []
    (folder / "south.csv").write_bytes(data + b"!")
    assert findings()
