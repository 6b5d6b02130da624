"""The words for what a YAML parser stumbles over."""

from __future__ import annotations

import re
from typing import Final

from yaml.error import Mark, MarkedYAMLError

from prism_iac.errors import Finding

__all__ = ["syntax_finding", "unprintable_finding"]

_INDENTATION: Final = ("this line does not fit the indentation around it", "Align it with its neighbours.")

_WORDS: Final[tuple[tuple[str, bool, tuple[str, str]], ...]] = (
    (r"tab character", False, ("a tab is used for indentation", "Use spaces.")),
    (
        r"mapping values are not allowed",
        False,
        (
            "there is a colon too many, or the line is indented too far",
            "Put a text with `: ` in it in quotes.",
        ),
    ),
    (r"expected ',' or '\]'", True, ("the list that begins here is not closed", "End it with `]`.")),
    (r"expected ',' or '\}'", True, ("the mapping that begins here is not closed", "End it with `}`.")),
    (
        r"unexpected end of stream",
        True,
        ("the quote that begins here is not closed", "Add the closing quote."),
    ),
    (
        r"expected node content",
        False,
        ("a value is missing here", "Write it, or close the brackets that are open above."),
    ),
    (r"expected ':'", False, ("this line has no `: `", "Write it as `name: value`.")),
    (r"expected key|expected '-'|expected <block end>", False, _INDENTATION),
    (r"block sequence entries are not allowed", False, _INDENTATION),
    (
        r"unknown escape",
        False,
        ("this escape does not exist", "Use single quotes, or write a backslash twice."),
    ),
)
"""What the parser says, whether the place is where the construct began, and our words."""


# YAML 1.2.2 §5.1, c-printable; the byte order mark is for the beginning of a file.
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def unprintable_finding(text: str, file: str) -> Finding | None:
    """The first character that may not stand in a YAML file, as a finding.

    Args:
        text: The text.
        file: The file as the user named it.
    """
    found = _UNPRINTABLE.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    return Finding(
        file=file,
        line=before.count("\n") + 1,
        column=len(before) - before.rfind("\n"),
        message=f"the character U+{ord(found[0]):04X} may not stand in a YAML file",
        fix='Remove it, or write it as an escape such as "\\u0007" in double quotes.',
    )


def syntax_finding(error: MarkedYAMLError, text: str, file: str) -> Finding:
    """One syntax error as a finding.

    Args:
        error: What the parser raised.
        text: The text that it read.
        file: The file as the user named it.
    """
    problem, mark = error.problem or "", error.problem_mark or error.context_mark
    character = _character(text, mark)
    if "cannot start any token" in problem:
        return _at(mark, file, _bad_beginning(character))
    for pattern, at_beginning, words in _WORDS:
        if re.search(pattern, problem):
            return _at((error.context_mark if at_beginning else None) or mark, file, words)
    return _at(mark, file, (problem or "this is not YAML", "Check the indentation and the quotes."))


def _bad_beginning(character: str) -> tuple[str, str]:
    if character == "\t":
        return "a tab is used for indentation", "Use spaces."
    return f"a value cannot begin with `{character}`", "Put it in quotes."


def _character(text: str, mark: Mark | None) -> str:
    return text[mark.index : mark.index + 1] if mark else ""


def _at(mark: Mark | None, file: str, words: tuple[str, str]) -> Finding:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Finding(file=file, line=line, column=column, message=words[0], fix=words[1])
