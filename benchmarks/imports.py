"""What `import prism_iac` adds to a program, beside `import pulumi`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from benchmarks.figures import Figure, compare, seconds_of

__all__ = ["measure"]

_REFERENCE: Final = "import pulumi"
_SUBJECTS: Final = {
    "import prism_iac": "import prism_iac",
    "import prism_iac and use its classes": "import prism_iac; prism_iac.Computation, prism_iac.StackFile",
}
_AT_MOST: Final = 1.15


def measure(*, quick: bool) -> Iterator[Figure]:
    """Each import in an interpreter of its own."""
    for code in (_REFERENCE, *_SUBJECTS.values()):
        _run(code)  # compiles and brings the files into memory
    rounds = [
        {code: seconds_of(lambda code=code: _run(code)) for code in (_REFERENCE, *_SUBJECTS.values())}  # type: ignore[misc]  # a default binds the loop's value
        for _ in range(5 if quick else 15)
    ]
    reference = [times[_REFERENCE] for times in rounds]
    for name, code in _SUBJECTS.items():
        yield compare(name, [times[code] for times in rounds], reference, at_most=_AT_MOST)


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
