"""The quick way in: arguments as a script writes them."""

from __future__ import annotations

from os.path import isfile

from prism_iac.cli.measure._options import OPTIONS, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Final

    from prism_iac.cli.measure._options import Given

__all__ = ["measure_at_once", "read_word"]

_COMMAND: Final = "measure"


def measure_at_once(arguments: Sequence[str]) -> bool:
    """Carry the command out if it is this one and written plainly.

    Args:
        arguments: Those of the process, without its name.

    Returns:
        Whether it was. If not, nothing was done, and whoever reads arguments of all commands must read them.

    Raises:
        InvalidInput: What is to be measured cannot be.
        OSError: A file cannot be read.
    """
    if list(arguments[:1]) != [_COMMAND]:
        return False
    given = _read(arguments[1:])
    if given is None:
        return False
    from prism_iac.cli.measure._act import act

    act(given)
    return True


def read_word(text: str) -> int:
    """A number in the base that its prefix says: 0x, 0o, 0b, or none for decimal."""
    return int(text, 0)


def _read(arguments: Sequence[str]) -> Given | None:
    by_name = {name: option for option in OPTIONS for name in option.names}
    values: Any = {option.key: option.default for option in OPTIONS}
    rest = iter(arguments)
    for argument in rest:
        name, has_value, value = argument.partition("=")
        if not argument.startswith("--"):
            name, has_value = argument, ""
        option = by_name.get(name)
        if option is None or (option.kind == "flag" and has_value):
            return None
        if option.kind == "flag":
            values[option.key] = True
            continue
        text = value if has_value else next(rest, None)
        if text is None:
            return None
        try:
            values[option.key] = _value(option, text)
        except ValueError:
            return None
    if any(option.is_required and values[option.key] is None for option in OPTIONS):
        return None
    given: Given = values
    return given


def _value(option: Option, text: str) -> str | int:
    if option.kind == "choice" and text not in option.choices:
        raise ValueError
    if option.kind == "file" and not isfile(text):  # noqa: PTH113  # `pathlib` would cost as much as measuring
        raise ValueError
    return _READERS.get(option.kind, str)(text)


_READERS: Final[Mapping[str, Callable[[str], str | int]]] = {"number": int, "word": read_word}
