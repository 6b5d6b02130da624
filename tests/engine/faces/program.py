"""A program that declares what a case says, for either face."""

from __future__ import annotations

from typing import Any

from prism_iac.provider.faces import Face
from tests.engine.faces.cases import Declared, Ref, in_order

__all__ = ["program"]


def program(declared: Declared, face: Face) -> str:
    """The text of `__main__.py`."""
    lines = ["import contextlib", "", "import prism_iac", "", "made = {}"]
    lines.append(f"with {'prism_iac.native_face' if face is Face.NATIVE else 'contextlib.nullcontext'}():")
    for name in in_order(declared):
        kind, inputs = declared[name]
        given = ", ".join(f"{key}={_code(value)}" for key, value in inputs.items())
        lines.append(f"    made[{name!r}] = prism_iac.{kind}({name!r}, {given})")
    return "\n".join([*lines, "    pass", ""])


def _code(value: Any) -> str:
    match value:
        case Ref(name, output):
            return f"made[{name!r}].{output}"
        case list():
            return f"[{', '.join(_code(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{key!r}: {_code(item)}' for key, item in value.items())}}}"
        case _:
            return repr(value)
