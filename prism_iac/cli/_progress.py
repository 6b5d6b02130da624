"""How far an upload, a download or an import is: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prism_iac.agent import Progress

__all__ = ["progress_bar", "row_bar"]


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A bar on standard error while the context lasts; gives the function that moves it."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(escape(title), total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def row_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar that counts rows, on standard error while the context lasts; gives the function that moves it."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done: None
        return
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(escape(title), total=total)
        yield lambda done: bars.update(task, completed=done)
