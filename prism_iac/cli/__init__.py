"""The command line `prism-iac`, thin: it reads arguments, calls a room, prints and exits.

Main entry: `main`. Commands of one subject lie in one module; libraries and rooms are imported by the
command that needs them, so that help costs nothing. Only this room ends the process; nothing imports it.
"""

from __future__ import annotations

import codecs
import io
import os
import sys

from prism_iac.cli.measure import measure_at_once

__all__ = ["main"]

_ESCAPED = "prism-iac-escapes"


def _as_escapes(error: UnicodeError) -> tuple[str, int]:
    """What the encoding of the output cannot say, in the escapes of JSON: a document stays one."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4)), error.end


def main() -> None:
    """Run a command and exit with the code of what happened."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        codecs.register_error(_ESCAPED, _as_escapes)
        sys.stdout.reconfigure(errors=_ESCAPED)
    try:
        if measure_at_once(sys.argv[1:]):
            sys.exit()
        from prism_iac.cli._app import app

        app(prog_name="prism-iac")
    except KeyboardInterrupt:
        from prism_iac.cli._exit_code import ExitCode

        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001  # the edge of the process
        from prism_iac.cli._failure import TRACEBACK_VARIABLE, tell

        sys.exit(tell(error, with_traceback=bool(os.environ.get(TRACEBACK_VARIABLE))))
