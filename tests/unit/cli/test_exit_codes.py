from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence

import pytest

from prism_iac import errors, prism
from prism_iac.backend import AlreadyRunning, StartFailure
from prism_iac.cli._exit_code import MEANINGS, ExitCode
from prism_iac.cli._failure import EXIT_CODES, exit_code_of, tell
from prism_iac.errors import (
    Conflict,
    Defect,
    Finding,
    InvalidInput,
    PartialResult,
    PrismError,
    RemoteFailure,
    VerificationFailure,
)
from prism_iac.prism._errors import Answer

ANSWER = Answer(method="GET", endpoint="https://prism.example", path="/computations", status=404)

CASES: Mapping[ExitCode, Sequence[PrismError]] = {
    ExitCode.REFUSED: [
        InvalidInput([Finding(message="wrong")]),
        Conflict("it runs"),
        AlreadyRunning("a backend runs already"),
        StartFailure("a port is taken"),
        *(
            kind("refused", answer=ANSWER)
            for kind in (
                prism.NotFound,
                prism.ApiConflict,
                prism.AlreadyExists,
                prism.PermissionDenied,
                prism.Rejected,
                prism.Unauthenticated,
            )
        ),
    ],
    ExitCode.REMOTE: [
        RemoteFailure("no answer"),
        PartialResult("not ready", id="1", state={}),
        prism.Unavailable("no answer", answer=ANSWER),
        prism.UnexpectedReply("a login page", answer=ANSWER),
    ],
    ExitCode.VERIFICATION: [VerificationFailure("another result")],
    ExitCode.DEFECT: [Defect("it cannot be")],
}


@pytest.mark.parametrize(
    ("error", "code"),
    [(error, code) for code, group in CASES.items() for error in group],
    ids=lambda value: type(value).__name__,
)
def test_an_error_has_the_exit_code_of_its_branch(error: PrismError, code: ExitCode) -> None:
    assert exit_code_of(error) is code


def test_every_branch_of_errors_has_a_row() -> None:
    branches = {kind for name in errors.__all__ if isinstance(kind := getattr(errors, name), type)}
    branches = {kind for kind in branches if issubclass(kind, PrismError)}
    assert branches <= {kind for kind, _ in EXIT_CODES}


def test_every_exit_code_is_explained() -> None:
    assert set(MEANINGS) == set(ExitCode)


def test_an_error_is_told_with_place_and_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    error = Conflict("it runs", where="sum", next_step="Stop it.")
    assert tell(error, with_traceback=False) is ExitCode.REFUSED
    assert capsys.readouterr() == ("", "sum: it runs\n  Stop it.\n")


def test_foreign_words_in_an_error_do_not_reach_the_terminal_as_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell(RemoteFailure("the agent said \x1b]0;owned\x07"), with_traceback=False)
    assert capsys.readouterr().err == "the agent said \ufffd]0;owned\ufffd\n"


def test_a_file_that_cannot_be_used_is_no_defect(capsys: pytest.CaptureFixture[str]) -> None:
    error = OSError(errno.EACCES, "Permission denied", "/etc/shadow")
    assert tell(error, with_traceback=False) is ExitCode.REFUSED
    assert capsys.readouterr().err == "/etc/shadow: Permission denied\n  Check the path and its rights.\n"


def test_a_defect_is_told_without_its_words_which_may_be_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(ValueError("hunter2"), with_traceback=False) is ExitCode.DEFECT
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "PRISM_IAC_TRACEBACK=1" in said
    assert "hunter2" not in said


def test_a_traceback_is_shown_to_those_who_ask(capsys: pytest.CaptureFixture[str]) -> None:
    tell(Conflict("it runs"), with_traceback=True)
    assert "Conflict: it runs" in capsys.readouterr().err
