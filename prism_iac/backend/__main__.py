"""The process in the background: `python -m prism_iac.backend <data folder> <descriptor> [<seconds>]`.

Writes `ready` to the descriptor when it is, or why it is not, and closes it. With a number of seconds it ends
by itself when nothing is left in it and no request has come for that long.
"""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import replace
from pathlib import Path

from prism_iac.backend._instance import DATABASE_VARIABLE, Instance
from prism_iac.backend._serve import serve
from prism_iac.backend._settings import load_settings
from prism_iac.errors import PrismError


def main(data: Path, descriptor: int, empty_seconds: float | None) -> int:
    """Serve a data folder and tell the starter; gives the exit code."""

    def tell(words: str) -> None:
        with os.fdopen(descriptor, "w") as starter:
            starter.write(words)

    def tell_ready(_: Instance) -> None:
        # What is there now lives as long as the process: collections need not look at it again.
        gc.enable()
        gc.freeze()
        tell("ready")

    gc.disable()  # nothing of the start is garbage, and looking for some takes a fifth of its time
    try:
        settings = load_settings(data, database_url=os.environ.pop(DATABASE_VARIABLE, ""))
        serve(replace(settings, empty_seconds=empty_seconds), on_ready=tell_ready)
    except PrismError as error:
        tell(f"{type(error).__name__}:{error}")
        return 1
    return 0


if __name__ == "__main__":
    folder, writing, *seconds = sys.argv[1:]
    sys.exit(main(Path(folder), int(writing), float(seconds[0]) if seconds else None))
