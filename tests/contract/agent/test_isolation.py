"""What an algorithm sees of the VM, and what it may use of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from prism_iac.agent import AlgorithmKind
from prism_iac.pki import KeyPair
from tests.contract.agent.control import Control
from tests.contract.agent.scene import Scene
from tests.contract.agent.vm import Vm, eventually, processes_in

needs_landlock = pytest.mark.skipif(
    "landlock" not in Path("/proc/kallsyms").read_text(encoding="ascii"), reason="this kernel has no Landlock"
)


def failure_of(scene: Scene, algorithm: bytes, kind: AlgorithmKind = AlgorithmKind.BIN) -> str:
    scene.begin(algorithm)
    with scene.connect() as client:
        scene.upload_algorithm(client, kind)
    event = scene.control.wait_for_event("Failed", "Failed")
    error = json.loads(event.details)["error"]
    assert isinstance(error, str)
    return error


@pytest.fixture
def limited(
    make_vm: Callable[..., Vm], control: Control, key: KeyPair, tmp_path: Path
) -> Callable[..., Scene]:
    def limited(**limits: str) -> Scene:
        vm = make_vm(**limits)
        control.wait_for_streams(1)
        return Scene(vm, control, key, tmp_path)

    return limited


def test_an_algorithm_sees_nothing_of_the_agents_environment(scene: Scene) -> None:
    scene.run(b"#!/usr/bin/env python3\nimport os\nopen('results/e', 'w').write(repr(dict(os.environ)))\n")
    environment = scene.result()["e"].decode()
    assert "AGENT_" not in environment
    assert "canary" not in environment
    assert f"'HOME': '{scene.vm.work}/computation/home'" in environment
    assert f"'TMPDIR': '{scene.vm.work}/computation/tmp'" in environment


SHARED = ("/tmp", "/dev/shm")  # noqa: S108  # nothing is kept there
READS_WHAT_IT_CAN = b"""#!/usr/bin/env python3
import os, sys
from pathlib import Path

seen = []
for place in sys.argv[1:]:
    try:
        if os.path.isdir(place):
            os.listdir(place)
        else:
            open(place, "rb").read(1)
        seen.append(place)
    except OSError:
        continue
Path("results/seen").write_text("\\n".join(seen))
"""


@needs_landlock
def test_an_algorithm_sees_neither_keys_nor_what_belongs_to_other_runs(scene: Scene) -> None:
    vm = scene.vm
    another = scene.folder / "vm-other" / "work" / "computation" / "datasets"
    another.mkdir(parents=True)
    (another / "rows.csv").write_text("somebody's")
    agent = Path("/proc", str(vm.pid))
    secret = [
        *(vm.certificates[name] for name in vm.certificates),
        *(vm.folder, vm.folder / "agent", vm.console, vm.work, vm.work / "incoming"),
        *(another, another / "rows.csv"),
        *(agent / name for name in ("environ", "mem", "maps", "fd/1", "cwd/incoming", "root/tmp")),
        *("/etc/shadow", "/root", "/home", *SHARED, "/dev/kmsg", "/dev/sev-guest"),
    ]
    open_ = [vm.work / "computation" / "algo", "/proc/self/environ", "/usr", "/dev/null"]
    scene.begin(READS_WHAT_IT_CAN)
    with scene.connect() as client:
        scene.upload_algorithm(client, arguments=[str(place) for place in (*secret, *open_)])
    scene.control.wait_for_event("ConsumingResults", "Ready")
    assert scene.result()["seen"].decode().splitlines() == [str(place) for place in open_]


@needs_landlock
def test_an_algorithm_writes_nowhere_but_in_its_own_folder(scene: Scene) -> None:
    outside = scene.folder / "outside"
    outside.write_text("untouched")
    places = [
        outside,
        scene.vm.work / "planted",
        Path(SHARED[0], "planted-by-an-algorithm"),
        Path("/usr/planted"),
    ]
    script = "".join(f"echo x > {place}; mv algo {place}; ln -s / {place}\n" for place in places)
    scene.run(f"#!/bin/sh\n{script}echo x > results/x\n".encode())
    assert scene.result() == {"x": b"x\n"}
    assert outside.read_text() == "untouched"
    assert not any(place.exists() for place in places[1:])


@needs_landlock
def test_an_algorithm_cannot_signal_the_agent_or_raise_its_rights(scene: Scene) -> None:
    scene.run(
        b"#!/usr/bin/env python3\nimport os\nsaid = []\n"
        b"for pid in (int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()):\n"
        b"    try:\n        os.kill(pid, 0)\n        said.append(pid)\n"
        b"    except OSError:\n        pass\n"
        b"status = open('/proc/self/status').read()\n"
        b"said += ['NoNewPrivs:\\t1' in status, 'CapEff:\\t0000000000000000' in status]\n"
        b"open('results/said', 'w').write(repr(said))\n"
    )
    assert scene.result()["said"] == b"[True, True]"


def test_a_link_among_the_results_brings_nothing_of_the_vm_out(scene: Scene) -> None:
    key = scene.vm.certificates["AGENT_CVM_GRPC_CLIENT_KEY"]
    scene.run(f"#!/bin/sh\nln -s {key} results/key; ln -s / results/all; echo x > results/x\n".encode())
    assert scene.result() == {"x": b"x\n"}


def test_an_algorithm_has_nothing_open_but_its_output(scene: Scene) -> None:
    scene.run(
        b"#!/usr/bin/env python3\nimport os\n"
        b"links = {n: os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') "
        b"if os.path.exists(f'/proc/self/fd/{n}') or n in '012'}\n"
        b"open('results/f', 'w').write(' '.join(sorted(links)) + ' ' + links['0'])\n"
    )
    assert scene.result()["f"] == b"0 1 2 /dev/null"


def test_a_python_algorithm_does_not_see_the_agents_packages(scene: Scene) -> None:
    assert "exit status 1" in failure_of(scene, b"import grpc\n", AlgorithmKind.PYTHON)


def test_what_an_algorithm_leaves_running_ends_with_it(scene: Scene) -> None:
    scene.run(b"#!/bin/sh\nsetsid sleep 7901 &\n(setsid sleep 7902 &)\necho x > results/x\n")
    assert not processes_in(scene.folder, "sleep\000790")


def test_the_time_limit_ends_an_algorithm(limited: Callable[..., Scene]) -> None:
    scene = limited(AGENT_LIMIT_RUN_SECONDS="1")
    error = failure_of(scene, b"#!/bin/sh\ntrap '' TERM\nsetsid sleep 7911 & sleep 7912\n")
    assert error == "algorithm execution error: stopped after 1 seconds, the time limit of a run"
    assert not processes_in(scene.folder, "sleep\000791")


def test_the_process_limit_ends_an_algorithm(limited: Callable[..., Scene]) -> None:
    scene = limited(AGENT_LIMIT_PROCESSES="5")
    error = failure_of(scene, b"#!/bin/sh\nfor i in 1 2 3 4 5 6; do sleep 7921 & done; wait\n")
    assert error == "algorithm execution error: stopped: it had more than 5 processes, the limit of a run"
    assert not processes_in(scene.folder, "sleep\0007921")


def test_the_memory_limit_holds_for_an_algorithm(limited: Callable[..., Scene]) -> None:
    scene = limited(AGENT_LIMIT_MEMORY_MIB="128")
    assert "exit status 1" in failure_of(scene, b"x = bytearray(400 << 20)\n", AlgorithmKind.PYTHON)
    eventually(lambda: any("MemoryError" in line.message for line in scene.control.logs()))


def test_a_webassembly_module_cannot_write_to_its_data(scene: Scene) -> None:
    import wasmtime

    # Opens datasets/x (folder 5) for writing, with O_CREAT; 69 is EROFS, 76 is ENOTCAPABLE in WASI.
    module = wasmtime.wat2wasm("""(module
      (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "x")
      (func (export "_start")
        (call $exit (call $open (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 1)
          (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))))""")
    error = failure_of(scene, bytes(module), AlgorithmKind.WASM)
    assert error in {f"algorithm execution error: exit status {number}" for number in (63, 69, 76)}


def test_a_flood_of_output_neither_stops_the_run_nor_the_agent(scene: Scene) -> None:
    scene.run(b"#!/bin/sh\nseq 20000 >&2\nhead -c 3000000 /dev/zero\necho x > results/x\n")
    assert scene.result() == {"x": b"x\n"}
    assert scene.control.events().count(("AlgorithmRun", "Warning")) <= 100
    assert scene.control.state() == "Complete"
