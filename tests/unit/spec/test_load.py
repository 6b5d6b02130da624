from __future__ import annotations

import base64
import hashlib
import os
import time
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_iac.model import Action, AlgorithmRuntime, AssetKind, LogLevel, Platform, TlsMode, VmProvider
from prism_iac.model.stack import RunPolicy
from prism_iac.spec import Stack, load_stack, validate_stack
from tests.unit.spec.conftest import Workplace

NOW = datetime(2026, 3, 1, tzinfo=UTC)

FULL = """\
environment: staging
endpoint: https://prism.example.com/
workspace: research
participants:
  ada: {user: Ada@Example.com, public_key: keys/ada.pub.pem}
  grace: {user: grace@example.com, public_key: keys/ada.pub.der}
  eve: {user: eve}
assets:
  iris: {kind: Dataset, provider: ada, file: iris.csv, mime_type: text/csv, sample_file: sample.csv}
  north: {kind: dataset, provider: grace, file: north}
  lin-reg:
    {kind: algorithm, provider: grace, file: lin_reg.py, arguments: [--fast], requirements: requirements.txt}
certificates:
  agent-tls: {mode: matls, validity: 8760h, dns_names: [Agent.Example.com]}
attestation_policies:
  own: {vm: trainer}
  declared: {expectations: {policy: {measurement: MEASUREMENT}}, path: policies/snp.json}
  measured:
    expectations: {rootOfTrust: {productLine: Milan}}
    launch: {firmware: OVMF.fd, kernel: vmlinuz, cmdline: " quiet ", vcpus: 2}
    warn: {minimum_tcb: 2026-12-31}
    approvals: [{change: minimum_tcb, by: ada, reason: old machines, until: 2026-06-30}]
  signed: {reference_values: reference.cose, signed_by: keys/ada.pub.der}
vms:
  trainer: {provider: GCP, platform: AMD SEV-SNP, vcpus: 4.0}
  held: {attestation_policy: declared}
computations:
  fit:
    description: Linear regression
    algorithm: lin-reg
    datasets: [north, iris]
    result_consumers: [eve, ada]
    agent: {certificates: agent-tls, attestation_policy: own, log_level: WARNING}
    participants: {grace: [runner], eve: [editor, run]}
    vm: trainer
    run: on-change
    triggers: {round: 3}
  check:
    description: The same with TLS from files
    algorithm: lin-reg
    result_consumers: [ada]
    agent:
      cert_file: certs/server.pem
      server_key: certs/server.key
      server_ca_file: certs/ca.pem
      client_ca_file: certs/ca.pem
"""
FULL = FULL.replace("MEASUREMENT", base64.b64encode(bytes(range(48))).decode())
INPUTS = {"iris.csv": "5.1\n", "sample.csv": "5\n", "lin_reg.py": "x = 1\n", "requirements.txt": "numpy\n"}
INPUTS |= dict.fromkeys(("OVMF.fd", "vmlinuz", "reference.cose"), "what it holds is looked at later")


def load(path: str = "stack.yaml", **environ: str) -> Stack:
    return load_stack(Path(path), environ=environ, now=lambda: NOW)


@pytest.fixture
def full(workplace: Workplace) -> Stack:
    folder = workplace(**{"stack.yaml": FULL}, **INPUTS)
    (folder / "north").mkdir()
    return load()


def test_every_reference_becomes_the_object_it_names(full: Stack) -> None:
    fit = full.computations["fit"]
    assert fit.algorithm is full.assets["lin-reg"]
    assert fit.datasets == (full.assets["north"], full.assets["iris"])
    assert fit.result_consumers == (full.participants["eve"], full.participants["ada"])
    assert fit.algorithm.provider is full.participants["grace"]
    assert fit.vm is full.vms["trainer"]
    assert fit.agent.certificates is full.certificates["agent-tls"]
    assert fit.agent.policy is full.attestation_policies["own"]
    assert fit.agent.policy.vm is fit.vm
    assert [participant.name for participant in fit.participants] == ["grace", "ada", "eve"]


def test_values_are_in_their_canonical_form(full: Stack) -> None:
    assert full.endpoint == "https://prism.example.com"
    assert full.participants["ada"].user == "ada@example.com"
    assert full.assets["iris"].kind is AssetKind.DATASET
    settings = full.vms["trainer"].settings
    assert (settings.provider, settings.platform, settings.vcpus) == (VmProvider.GCP, Platform.SEV_SNP, 4)
    assert full.vms["held"].policy == "declared"
    assert full.certificates["agent-tls"].settings.validity == "365d"
    assert full.computations["fit"].agent.log_level is LogLevel.WARN
    assert full.computations["fit"].run is RunPolicy.ON_CHANGE
    assert full.computations["fit"].triggers == {"round": "3"}


def test_files_are_absolute_and_beside_the_stack_file(full: Stack) -> None:
    here = Path.cwd()
    assert full.assets["iris"].file == here / "iris.csv"
    assert full.assets["iris"].sample_file == here / "sample.csv"
    assert full.assets["lin-reg"].algorithm is not None
    assert full.assets["lin-reg"].algorithm.requirements == here / "requirements.txt"
    assert full.computations["check"].agent.pem_files["server_key"] == here / "certs" / "server.key"


def test_policies_have_their_files_and_their_people(full: Stack) -> None:
    here, measured = Path.cwd(), full.attestation_policies["measured"].settings
    assert measured.launch is not None
    assert measured.launch.firmware == str(here / "OVMF.fd")
    assert measured.launch.kernel == str(here / "vmlinuz")
    assert measured.launch.initrd is None
    assert measured.launch.cmdline == " quiet "
    assert measured.warn == {"minimum_tcb": "2026-12-31"}
    assert measured.approvals is not None
    assert [approval.by for approval in measured.approvals] == ["ada@example.com"]
    signed = full.attestation_policies["signed"]
    assert signed.settings.reference_values == str(here / "reference.cose")
    assert signed.signed_by == full.participants["grace"].public_key


def test_what_is_left_out_follows_from_what_is_there(full: Stack) -> None:
    algorithm = full.assets["lin-reg"].algorithm
    assert algorithm is not None
    assert (algorithm.runtime, algorithm.arguments) == (AlgorithmRuntime.PYTHON, ("--fast",))
    assert full.assets["iris"].file_name == "iris.csv"
    assert full.assets["north"].description == "Dataset north"
    assert full.assets["iris"].checksum is None
    assert full.attestation_policies["own"].path == ".prism/policies/own.json"
    assert full.computations["fit"].agent.tls is TlsMode.MATLS
    assert full.computations["check"].agent.tls is TlsMode.MTLS
    assert full.computations["check"].run is RunPolicy.NEVER


def test_roles_stand_for_their_actions(full: Stack) -> None:
    grants = {grant.participant.name: grant.actions for grant in full.computations["fit"].grants}
    assert grants == {
        "grace": (Action.RUN, Action.VIEW),
        "eve": (Action.EDIT, Action.RUN, Action.VIEW),
    }


def test_a_public_key_in_any_accepted_form_becomes_pem(full: Stack) -> None:
    assert full.participants["ada"].public_key == Path("keys/ada.pub.pem").read_text()
    assert full.participants["grace"].public_key == full.participants["ada"].public_key
    assert full.participants["eve"].public_key is None


def test_every_value_can_tell_its_line(full: Stack) -> None:
    assert str(full.origin("vms", "trainer", "vcpus")) == "stack.yaml:25:58"
    assert str(full.origin("computations", "fit", "datasets", 1)) == "stack.yaml:31:23"
    assert full.origin("computations", "fit", "stop_on_delete").line == 28


def test_a_stack_cannot_be_changed(full: Stack) -> None:
    with pytest.raises(FrozenInstanceError):
        full.workspace = "production"  # type: ignore[misc]  # the point of the test
    with pytest.raises(TypeError):
        full.vms["other"] = full.vms["trainer"]  # type: ignore[index]  # the point of the test


def test_an_extending_file_joins_tables_and_replaces_lists(workplace: Workplace) -> None:
    base = """\
workspace: research
participants: {ada: {user: ada}, grace: {user: grace}}
vms:
  trainer: {vcpus: 2, limits: {memory_mib: 4096}}
certificates:
  agent-tls: {dns_names: [localhost, agent], key: {algorithm: ecdsa}}
"""
    over = """\
extends: base.yaml
environment: dev
vms:
  trainer: {vcpus: 8}
  tester: {}
certificates:
  agent-tls: {dns_names: [other]}
"""
    workplace(**{"base.yaml": base, "dev.yaml": over})
    stack = load("dev.yaml")
    trainer = stack.vms["trainer"].settings
    assert trainer.vcpus == 8
    assert trainer.limits is not None
    assert trainer.limits.memory_mib == 4096
    assert list(stack.vms) == ["trainer", "tester"]
    assert stack.certificates["agent-tls"].settings.dns_names == ("other",)
    assert stack.files == (Path("base.yaml"), Path("dev.yaml"))
    assert str(stack.origin("vms", "trainer", "vcpus")) == "dev.yaml:4:20"
    assert str(stack.origin("vms", "trainer", "limits", "memory_mib")) == "base.yaml:4:44"


def test_paths_are_relative_to_the_file_that_they_stand_in(workplace: Workplace) -> None:
    base = "workspace: w\nparticipants: {ada: {user: ada, public_key: ../keys/ada.pub.pem}}\n"
    folder = workplace(**{"dev.yaml": "extends: shared/base.yaml\nenvironment: dev\n"})
    (folder / "shared").mkdir()
    (folder / "shared" / "base.yaml").write_text(base)
    assert load("dev.yaml").participants["ada"].public_key_file == folder / "keys" / "ada.pub.pem"


def test_the_files_of_a_guest_are_relative_to_the_file_that_names_each(workplace: Workplace) -> None:
    base = "workspace: w\nvms: {guest: {provider: qemu, qemu: {protection: none, kernel: vmlinuz, firmware: OVMF.fd}}}\n"
    over = "extends: shared/base.yaml\nenvironment: dev\nvms: {guest: {qemu: {initrd: initrd, binary: ./qemu}}}\n"
    folder = workplace(**{"dev.yaml": over, "initrd": "", "qemu": ""})
    (folder / "shared").mkdir()
    for name, text in (("base.yaml", base), ("vmlinuz", ""), ("OVMF.fd", "")):
        (folder / "shared" / name).write_text(text)
    assert (settings := load("dev.yaml").vms["guest"].settings.qemu)
    assert settings.files == {
        "kernel": str(folder / "shared" / "vmlinuz"),
        "initrd": str(folder / "initrd"),
        "firmware": str(folder / "shared" / "OVMF.fd"),
        "binary": str(folder / "qemu"),
    }


def test_a_program_of_qemu_that_is_a_mere_name_is_left_to_the_search_path(workplace: Workplace) -> None:
    workplace(**{"stack.yaml": "environment: dev\nworkspace: w\nvms: {guest: {provider: qemu, qemu: {}}}\n"})
    assert (settings := load().vms["guest"].settings.qemu)
    assert (settings.files, settings.binary) == ({}, "qemu-system-x86_64")


def test_a_chain_of_extended_files_is_read_from_its_end(workplace: Workplace) -> None:
    workplace(
        **{
            "a.yaml": "extends: b.yaml\nenvironment: dev\n",
            "b.yaml": "extends: c.yaml\nworkspace: b\nenvironment: b\n",
            "c.yaml": "workspace: c\nendpoint: http://127.0.0.1:9000\n",
        }
    )
    stack = load("a.yaml")
    assert (stack.environment, stack.workspace, stack.endpoint) == ("dev", "b", "http://127.0.0.1:9000")
    assert stack.files == (Path("c.yaml"), Path("b.yaml"), Path("a.yaml"))


def test_a_tilde_stands_for_the_home_folder_of_the_environment_given(workplace: Workplace) -> None:
    text = (
        "environment: dev\nworkspace: w\nparticipants: {ada: {user: ada, public_key: ~/keys/ada.pub.pem}}\n"
    )
    folder = workplace(**{"stack.yaml": text})
    assert (
        load(HOME=str(folder)).participants["ada"].public_key_file
        == (folder / "keys" / "ada.pub.pem").resolve()
    )


def test_a_right_checksum_is_kept_whatever_its_case(workplace: Workplace) -> None:
    checksum = hashlib.sha3_256(b"5.1\n").hexdigest()
    text = (
        "environment: dev\nworkspace: w\nparticipants: {ada: {user: ada}}\n"
        f"assets: {{iris: {{kind: dataset, provider: ada, file: iris.csv, checksum: '{checksum.upper()}'}}}}\n"
    )
    workplace(**{"stack.yaml": text, "iris.csv": "5.1\n"})
    assert load().assets["iris"].checksum == checksum


def test_a_pasted_private_key_is_not_repeated(workplace: Workplace) -> None:
    key = "-----BEGIN " + "PRIVATE KEY-----\\nMC4CAQAwBQYDK2Vw\\n-----END " + "PRIVATE KEY-----\\n"
    agent = f'{{tls: tls, cert_file: certs/server.pem, server_key: "{key}"}}'
    workplace(**{"stack.yaml": minimal(agent)})
    findings = validate_stack(Path("stack.yaml"), environ={}, now=lambda: NOW)
    assert [finding.message for finding in findings] == ["this is the content of a file, not its path"]
    assert "MC4C" not in str(findings)


def test_certificates_are_checked_against_the_clock_given(workplace: Workplace) -> None:
    workplace(
        **{"stack.yaml": minimal("{tls: tls, cert_file: certs/expired.pem, server_key: certs/expired.key}")}
    )
    in_time = datetime(2020, 1, 15, tzinfo=UTC)
    assert validate_stack(Path("stack.yaml"), environ={}, now=lambda: in_time) == ()
    assert validate_stack(Path("stack.yaml"), environ={}, now=lambda: NOW) != ()


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere.yaml", "no such file"), ("keys", "a folder"), ("a\0b", "cannot be read")],
)
def test_a_stack_file_that_cannot_be_read_is_a_finding(name: str, message: str, workplace: Workplace) -> None:
    workplace()
    (finding,) = validate_stack(Path(name), environ={}, now=lambda: NOW)
    assert message in finding.message
    assert finding.file == name


def test_a_stack_file_of_more_than_64_mib_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "stack.yaml").open("wb") as file:
        file.truncate((64 << 20) + 1)
    (finding,) = validate_stack(tmp_path / "stack.yaml", environ={}, now=lambda: NOW)
    assert finding.message == "the file is larger than 64 MiB"


def test_inputs_that_cannot_be_read_are_findings(workplace: Workplace) -> None:
    text = f"""\
environment: dev
workspace: w
participants:
  large: {{user: a, public_key: large.pem}}
  memory: {{user: b, public_key: /proc/self/mem}}
  long: {{user: c, public_key: {"x" * 300}}}
assets:
  sample: {{kind: dataset, provider: large, checksum: {"a" * 64}, sample_file: large.csv}}
  memory: {{kind: dataset, provider: large, checksum: {"a" * 64}, file: /proc/self/mem}}
"""
    folder = workplace(**{"stack.yaml": text})
    for name, size in (("large.pem", 1 << 20), ("large.csv", 10_000_000)):
        with (folder / name).open("wb") as file:
            file.truncate(size + 1)
    findings = validate_stack(Path("stack.yaml"), environ={}, now=lambda: NOW)
    assert [(finding.path, finding.message) for finding in findings] == [
        ("participants.large.public_key", '"large.pem" is too large for a key or a certificate'),
        ("participants.memory.public_key", '"/proc/self/mem" cannot be read: Input/output error'),
        ("participants.long.public_key", f'"{"x" * 60}..." cannot be read: File name too long'),
        ("assets.sample.sample_file", '"large.csv" is larger than 10 MB'),
        ("assets.memory.checksum", '"/proc/self/mem" cannot be read: Input/output error'),
    ]


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (finding,) = validate_stack(tmp_path / "pipe", environ={}, now=lambda: NOW)
    assert finding.message == "this is not a regular file"


def test_ten_thousand_computations_take_seconds(workplace: Workplace) -> None:
    head = "environment: dev\nworkspace: w\nparticipants: {ada: {user: ada}}\nassets:\n"
    head += "".join(
        f"  {name}: {{kind: {kind}, provider: ada, checksum: {'a' * 64}}}\n"
        for name, kind in (("iris", "dataset"), ("lin-reg", "algorithm"))
    )
    entries = "".join(
        f"  fit-{number:05}:\n"
        f"    description: Number {number}\n    algorithm: lin-reg\n    datasets: [iris]\n"
        f"    result_consumers: [ada]\n    agent: {{tls: none}}\n    run: never\n"
        for number in range(10_000)
    )
    workplace(**{"stack.yaml": f"{head}computations:\n{entries}"})
    begun = time.process_time()
    stack = load()
    assert time.process_time() - begun < 6
    assert len(stack.computations) == 10_000
    assert str(stack.origin("computations", "fit-09999", "run")) == "stack.yaml:70007:10"


def minimal(agent: str) -> str:
    return f"""\
environment: dev
workspace: research
participants: {{ada: {{user: ada}}}}
assets: {{lin-reg: {{kind: algorithm, provider: ada, checksum: {"a" * 64}}}}}
computations:
  fit: {{description: Fit, algorithm: lin-reg, result_consumers: [ada], agent: {agent}}}
"""


@pytest.mark.usefixtures("full")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(data=st.data(), flow=st.sampled_from([True, False, None]), width=st.integers(20, 200))
def test_any_spelling_of_a_good_stack_is_the_same_stack(
    data: st.DataObject,
    width: int,
    *,
    flow: bool | None,
) -> None:
    """Blocks or braces, the order of fields, the breaks of lines."""
    Path("same.yaml").write_text(FULL, encoding="utf-8")
    expected = load_stack(Path("same.yaml"), environ={}, now=lambda: NOW)
    document = reordered(yaml.safe_load(FULL), data)
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=flow, width=width, allow_unicode=True)
    Path("same.yaml").write_text(text, encoding="utf-8")
    assert load_stack(Path("same.yaml"), environ={}, now=lambda: NOW) == expected


def reordered(value: Any, data: st.DataObject, depth: int = 3) -> Any:
    """With tables, entries and their fields in another order."""
    if not isinstance(value, dict) or depth == 0:
        return value
    return {name: reordered(value[name], data, depth - 1) for name in data.draw(st.permutations(list(value)))}


SCRAPS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 10**30),
    st.floats(allow_nan=False),
    st.sampled_from(
        ["", "ada", "iris", "lin-reg", "trainer", "own", "\0", "../x", "~/x", "/", "mtls", "10d"]
    ),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from(["ada", "iris", 1, None]), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.mark.usefixtures("full")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(data=st.data())
def test_any_change_of_a_good_stack_gives_a_stack_or_findings_with_place_and_fix(data: st.DataObject) -> None:
    document = yaml.safe_load(FULL)
    for _ in range(data.draw(st.integers(1, 3))):
        spoil(document, data)
    Path("spoilt.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    for finding in validate_stack(Path("spoilt.yaml"), environ={}, now=lambda: NOW):
        assert finding.message
        assert finding.fix
        assert finding.line > 0
        assert finding.column > 0


def spoil(document: Any, data: st.DataObject) -> None:
    """Replace, remove or add something at a random place."""
    parent = document
    while True:
        keys: list[Any] = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(parent[key], dict | list) and data.draw(st.booleans()):
            parent = parent[key]
            continue
        action = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "replace":
            parent[key] = data.draw(SCRAPS)
        elif action == "remove":
            del parent[key]
        elif isinstance(parent, dict):
            parent[data.draw(st.text(max_size=5))] = data.draw(SCRAPS)
        return
