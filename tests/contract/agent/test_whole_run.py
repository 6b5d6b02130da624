"""From the manifest to the result, with a real agent process."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import wasmtime

from prism_iac.agent import AlgorithmKind
from tests.contract.agent.control import Control
from tests.contract.agent.scene import Scene
from tests.contract.agent.vm import Vm, digest, eventually

SHELL = b"""#!/bin/sh
cat datasets/iris.csv > results/out.txt
echo "$@" >> results/out.txt
echo to stdout
echo to stderr >&2
"""
PYTHON = b"""import pathlib, sys
data = pathlib.Path("datasets/iris.csv").read_bytes()
pathlib.Path("results/out.txt").write_bytes(data + " ".join(sys.argv[1:]).encode() + b"\\n")
print("to stdout")
print("to stderr", file=sys.stderr)
"""
# Copies the dataset through WASI: opens datasets/iris.csv (folder 5), creates out.txt (folder 3, results/).
WASM = wasmtime.wat2wasm("""(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "iris.csv")
  (data (i32.const 16) "out.txt")
  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $exit (local.get $errno)))))
  (func (export "_start")
    (i32.store (i32.const 100) (i32.const 1024))
    (i32.store (i32.const 104) (i32.const 4096))
    (call $check (call $open (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 8)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 120)))
    (call $check (call $read (i32.load (i32.const 120)) (i32.const 100) (i32.const 1) (i32.const 124)))
    (i32.store (i32.const 104) (i32.load (i32.const 124)))
    (call $check (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 7)
      (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 120)))
    (call $check (call $write (i32.load (i32.const 120)) (i32.const 100) (i32.const 1) (i32.const 124)))))
""")
IRIS = b"5.1,3.5,1.4,0.2\n"


@pytest.mark.parametrize(
    ("kind", "algorithm", "expected"),
    [
        (AlgorithmKind.BIN, SHELL, IRIS + b"one two\n"),
        (AlgorithmKind.PYTHON, PYTHON, IRIS + b"one two\n"),
        (AlgorithmKind.WASM, bytes(WASM), IRIS),
    ],
    ids=lambda value: value.value if isinstance(value, AlgorithmKind) else "",
)
def test_an_algorithm_of_each_kind_turns_data_into_a_result(
    scene: Scene, kind: AlgorithmKind, algorithm: bytes, expected: bytes
) -> None:
    control = scene.control
    scene.begin(algorithm, {"iris.csv": IRIS})
    with scene.connect() as client:
        scene.upload_algorithm(client, kind, ["one", "two"])
        assert control.state() == "ReceivingData"
        scene.upload_dataset(client, "iris.csv")
        ready = control.wait_for_event("ConsumingResults", "Ready")
        assert control.state() == "ConsumingResults"
        result = scene.fetch(client)
        control.wait_for_event("Complete", "Completed")
        assert scene.fetch(client) == result
    with zipfile.ZipFile(io.BytesIO(result)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"out.txt": expected}
    assert control.state() == "Complete"
    assert json.loads(ready.details) == {
        "result_sha3_256": digest(result).hex(),
        "result_size_bytes": len(result),
    }
    warnings = [] if kind is AlgorithmKind.WASM else [("AlgorithmRun", "Warning")]
    assert control.events() == [
        ("ReceivingAlgorithm", "InProgress"),
        ("ReceivingData", "InProgress"),
        ("Running", "Starting"),
        ("Running", "InProgress"),
        *warnings,
        ("Running", "Completed"),
        ("ConsumingResults", "Ready"),
        ("Complete", "Completed"),
    ]
    if warnings:
        lines = {(line.message, line.level, line.computation_id) for line in control.logs()}
        assert {("to stdout", "DEBUG", "c-1"), ("to stderr", "ERROR", "c-1")} <= lines


def test_a_computation_without_datasets_runs_as_soon_as_the_algorithm_is_there(scene: Scene) -> None:
    scene.run(b"#!/bin/sh\nls > results/listing\n")
    assert scene.result() == {"listing": b"algo\ndatasets\nhome\nresults\ntmp\n"}
    assert ("ReceivingData", "InProgress") not in scene.control.events()


def test_an_algorithm_that_writes_nothing_has_an_empty_result(scene: Scene) -> None:
    scene.run(b"#!/bin/sh\n")
    assert scene.result() == {}


def test_nothing_of_a_run_stays_in_the_working_folder(scene: Scene) -> None:
    scene.run(b"#!/bin/sh\necho x > results/x; echo y > stray; mkdir -p results/deep; chmod 0 results/deep\n")
    assert [path for path in scene.vm.work.rglob("*") if path.name != "incoming"] == []


def test_links_in_the_results_are_not_followed(scene: Scene) -> None:
    scene.run(b"#!/bin/sh\necho x > results/x; ln -s /etc/passwd results/y; ln -s /etc results/z\n")
    assert scene.result() == {"x": b"x\n"}


def test_the_agent_says_who_it_is_and_where_it_listens(vm: Vm, control: Control) -> None:
    metadata = control.streams[0].metadata
    assert metadata["job-id"] == "vm-1"
    assert metadata["agent-address"] == vm.address
    first = control.wait_for(lambda message: message.HasField("vTPMattestationReport"))
    assert control.received[0] is first
    assert first.vTPMattestationReport.certSerialNumber.isdecimal()


def test_a_second_computation_runs_in_the_same_process(scene: Scene) -> None:
    for number in ("c-1", "c-2"):
        scene.run(f"#!/bin/sh\necho {number} > results/x\n".encode(), id_=number)
        assert scene.result() == {"x": f"{number}\n".encode()}
        scene.control.stop(number)
        scene.control.wait_for_stop_response(number)
        eventually(lambda: scene.control.state() == "ReceivingManifest")
