"""How fast a large stack file is read and validated, beside pydantic and jsonschema alone.

The references parse the same file with PyYAML's C loader; they know no lines, resolve no name and read no file.
Seconds are those of the processor: all of it happens in one thread.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator

from benchmarks.figures import Figure, compare, cpu_seconds_of
from prism_iac.model.schema import schemas
from prism_iac.model.stack import StackFile
from prism_iac.spec import validate_stack

__all__ = ["measure"]

_COMPUTATIONS: Final = 10_000
_QUICK: Final = 500
_FILES: Final = 100
_SECONDS_AT_MOST: Final = 2.0

_HEAD: Final = f"""\
environment: dev
workspace: research
participants: {{ada: {{user: ada@example.com}}}}
assets:
  fit: {{kind: algorithm, provider: ada, checksum: {"ab" * 32}, file_name: fit.py}}
  iris: {{kind: dataset, provider: ada, checksum: {"cd" * 32}, file_name: iris.csv}}
certificates:
  tls: {{mode: mtls, dns_names: [localhost]}}
"""
_FIELDS: Final = """\
description: Computation %s
algorithm: fit
datasets: [iris]
result_consumers: [ada]
agent: {tls: mtls, certificates: tls, log_level: info}
"""


def measure(*, quick: bool) -> Iterator[Figure]:
    """Files that say the same in every way there is, and one in which every computation has a mistake."""
    computations, rounds = (_QUICK, 2) if quick else (_COMPUTATIONS, 5)
    validator = Draft202012Validator(schemas()["stack"])
    with tempfile.TemporaryDirectory() as folder:
        written = _write(Path(folder), computations)
        text = written["in one file"].read_text(encoding="utf-8")
        acts: Mapping[str, Callable[[], object]] = {
            **{name: _validation(path) for name, path in written.items()},
            "pydantic": lambda: StackFile.model_validate(_parsed(text)),
            "jsonschema": lambda: list(validator.iter_errors(_parsed(text))),
        }
        times: dict[str, list[float]] = {name: [] for name in acts}
        for _ in range(rounds):
            for name, act in acts.items():
                gc.collect()
                times[name].append(cpu_seconds_of(act))
    target = None if quick else _SECONDS_AT_MOST
    for name in written:
        yield Figure(f"{computations} computations {name}", "s", tuple(times[name]), target)
    whole = times["in one file"]
    for reference in ("pydantic", "jsonschema"):
        yield compare(f"{computations} computations beside {reference} alone", whole, times[reference])


def _parsed(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _validation(path: Path) -> Callable[[], object]:
    is_broken = path.stem == "broken"

    def act() -> None:
        assert bool(validate_stack(path)) is is_broken

    return act


def _write(folder: Path, computations: int) -> Mapping[str, Path]:
    """The files by what they are."""
    numbers = range(computations)
    entries = "".join(_entry(number) for number in numbers)
    template = _HEAD + (
        "templates:\n  fit:\n    parameters: {number: {type: integer}}\n    entry:\n"
        + _indented(_FIELDS % "${param.number}", 6)
        + "computations:\n"
    )
    texts = {
        "in one file": ("whole", f"{_HEAD}computations:\n{entries}"),
        f"in {_FILES} files": ("included", f"{_HEAD}include: parts/*.yaml\n"),
        "from a template, each an entry": (
            "template",
            template
            + "".join(
                f"  fit-{number}: {{template: fit, values: {{number: {number}}}}}\n" for number in numbers
            ),
        ),
        "from a template, by for_each": (
            "each",
            template
            + f'  "fit-${{each.number}}":\n    for_each: {{number: [{", ".join(map(str, numbers))}]}}\n'
            + '    template: fit\n    values: {number: "${each.number}"}\n',
        ),
        "with a mistake in each": (
            "broken",
            f"{_HEAD}computations:\n{entries.replace('datasets: [iris]', 'datasets: [irsi]')}",
        ),
    }
    (folder / "parts").mkdir()
    for part in range(_FILES):
        own = "".join(_entry(number) for number in numbers[part::_FILES])
        (folder / "parts" / f"{part}.yaml").write_text(f"computations:\n{own}", encoding="utf-8")
    for stem, text in texts.values():
        (folder / f"{stem}.yaml").write_text(text, encoding="utf-8")
    return {name: folder / f"{stem}.yaml" for name, (stem, _) in texts.items()}


def _entry(number: int) -> str:
    return f"  fit-{number}:\n{_indented(_FIELDS % number, 4)}"


def _indented(text: str, columns: int) -> str:
    return "".join(f"{' ' * columns}{line}" for line in text.splitlines(keepends=True))
