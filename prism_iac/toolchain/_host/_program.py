"""Runs one Pulumi program. A script for the interpreter of the project, which may not have this package.

Its argument is a JSON object: `entry` is the file or folder of the program, `settings` the arguments of
`pulumi.runtime.Settings`. Configuration comes as the official host passes it: PULUMI_CONFIG and
PULUMI_CONFIG_SECRET_KEYS. Exit code 32 says that the user has been told what is wrong.
"""

from __future__ import annotations

import asyncio
import json
import logging
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import pulumi
import pulumi.runtime

_TOLD = 32
# What the official host grants per resource that may be worked on at once.
_THREADS_PER_RESOURCE = 4


def main(entry: str, parallel: int) -> int:
    """Run the program at a path; gives the exit code."""
    sys.argv = [entry]
    # The script's own folder is not the program's business.
    sys.path[0] = str(Path.cwd())
    # A program that fails leaves outputs that nobody awaits; asyncio would print a page about each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(max(parallel, 1) * _THREADS_PER_RESOURCE) as threads:
        loop.set_default_executor(threads)
        try:
            loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(entry)))
        except pulumi.RunError as error:
            pulumi.log.error(str(error))
        except KeyboardInterrupt:
            return _TOLD
        except Exception as error:  # noqa: BLE001  # the edge of the program
            lines = traceback.format_exception(error.with_traceback(_from_program(error, entry)))
            pulumi.log.error("Program failed with an unhandled exception:\n" + "".join(lines))
        else:
            return 0
        finally:
            loop.close()
    return _TOLD


def _run(entry: str) -> None:
    place = Path(entry)
    if place.is_dir() and not (place / "__main__.py").is_file():
        raise pulumi.RunError(f"there is no __main__.py in {place.absolute()}")
    runpy.run_path(entry, run_name="__main__")


def _from_program(error: Exception, entry: str) -> TracebackType | None:
    """The part of the trace that begins in the program; all of it when the program is not in it."""
    place = Path(entry).absolute()
    program = place / "__main__.py" if place.is_dir() else place
    step = error.__traceback__
    while step is not None and Path(step.tb_frame.f_code.co_filename).absolute() != program:
        step = step.tb_next
    return step or error.__traceback__


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )
    pulumi.runtime.configure(pulumi.runtime.Settings(**request["settings"]))
    code = main(request["entry"], request["settings"]["parallel"])
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
