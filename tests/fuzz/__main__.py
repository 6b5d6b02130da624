"""`python -m tests.fuzz`: the long run, guided by coverage; `make fuzz` calls it.

    python -m tests.fuzz run [--seconds 60] [--jobs 2] [TARGET …]
    python -m tests.fuzz seeds        write the seeds of targets that have none
    python -m tests.fuzz keep         take what a run found that reaches more into the corpus

Needs atheris, `pip install '.[fuzz]'`. What a run finds lies in `.fuzz/`: the corpora that grow, and the inputs that
something is wrong with, which the next run of the tests reads once they are moved into `tests/fuzz/corpus/<target>/`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.target import CORPUS, FOUND, Target, ask, corpus_of

SLOWEST_SECONDS: Final = 10
MOST_MEMORY_MIB: Final = 2048
LONGEST_BYTES: Final = 64 << 10
KEPT_BYTES: Final = 12 << 10
"""How much of a corpus is kept of each target, the smallest inputs first."""


@dataclass(frozen=True)
class Outcome:
    """What the run of a target came to."""

    target: str
    inputs: int
    corpus: int
    problems: tuple[Path, ...]


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["one"]:
        name, *flags = arguments[1:]
        (target,) = _chosen([name])
        return _fuzz(target, flags)
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("verb", choices=("run", "seeds", "keep"))
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_intermixed_args(arguments)
    targets = _chosen(given.targets)
    match given.verb:
        case "seeds":
            _write_seeds(targets)
        case "keep":
            for target in targets:
                _keep(target)
        case "run":
            return _run(targets, seconds=given.seconds, jobs=given.jobs)
    return 0


def _chosen(names: Sequence[str]) -> list[Target]:
    from tests.fuzz.table import TARGETS

    unknown = set(names) - {target.name for target in TARGETS}
    if unknown:
        sys.exit(f"there is no target {', '.join(sorted(unknown))}")
    return [target for target in TARGETS if not names or target.name in names]


def _run(targets: Sequence[Target], *, seconds: int, jobs: int) -> int:
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = [*pool.map(lambda target: _run_one(target, seconds), targets)]
    print(f"\n{'target':24} {'inputs':>12} {'corpus':>7}  problems")
    for outcome in outcomes:
        print(f"{outcome.target:24} {outcome.inputs:12,} {outcome.corpus:7} ", *outcome.problems)
    problems = sum(len(outcome.problems) for outcome in outcomes)
    print(f"{len(outcomes)} targets, {sum(item.inputs for item in outcomes):,} inputs, {problems} problems")
    return 1 if problems else 0


def _run_one(target: Target, seconds: int) -> Outcome:
    growing, problems = FOUND / "corpus" / target.name, FOUND / "problems" / target.name
    for folder in (growing, problems):
        folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz", "one", target.name]
    flags = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOWEST_SECONDS}",
        f"-rss_limit_mb={MOST_MEMORY_MIB}",
        f"-max_len={LONGEST_BYTES}",
        f"-artifact_prefix={problems}/",
        "-print_final_stats=1",
        str(growing),
        str(CORPUS / target.name),
    ]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, errors="replace", check=False)
    (FOUND / f"{target.name}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    counted = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    found = tuple(sorted(problems.iterdir()))
    print(
        f"{target.name}: {'ok' if done.returncode == 0 else 'see ' + str(FOUND / target.name) + '.log'}",
        flush=True,
    )
    if done.returncode and not found:
        found = (FOUND / f"{target.name}.log",)
    return Outcome(target.name, int(counted[1]) if counted else 0, len(list(growing.iterdir())), found)


def _fuzz(target: Target, flags: Sequence[str]) -> int:
    """Fuzz one target in this process, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=["prism_iac"], enable_loader_override=False):
        # What is imported when it is first used must be by now.
        for data in corpus_of(target):
            ask(target, data)
    atheris.Setup([sys.argv[0], *flags], lambda data: void(ask(target, data)))
    atheris.Fuzz()
    return 0


def void(_: object) -> None:
    """Nothing, which is what libFuzzer wants to be told."""


def _write_seeds(targets: Iterable[Target]) -> None:
    for target in targets:
        folder = CORPUS / target.name
        if not folder.exists():
            folder.mkdir(parents=True)
            for number, data in enumerate(target.seeds()):
                (folder / f"seed-{number}").write_bytes(data)


def _keep(target: Target) -> None:
    """Take over the smallest inputs of a run that reach what the corpus does not."""
    merged = FOUND / "merged" / target.name
    merged.mkdir(parents=True, exist_ok=True)
    for old in merged.iterdir():
        old.unlink()
    kept = CORPUS / target.name
    command = [sys.executable, "-m", "tests.fuzz", "one", target.name, "-merge=1", str(merged)]
    subprocess.run(
        [*command, str(kept), str(FOUND / "corpus" / target.name)], check=True, capture_output=True
    )
    known = set(corpus_of(target))
    room = KEPT_BYTES - sum(len(data) for data in known)
    for data in sorted((file.read_bytes() for file in merged.iterdir()), key=len):
        if data in known:
            continue
        room -= len(data)
        if room < 0:
            break
        (kept / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
