"""Options that many commands share, written down once: as the fields of a class."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Concatenate, ParamSpec, TypeVar

__all__ = ["given"]

T = TypeVar("T")
P = ParamSpec("P")


def given(
    options: Callable[..., AbstractContextManager[T]],
) -> Callable[[Callable[Concatenate[T, P], None]], Callable[..., None]]:
    """Give a command the options that a class has as parameters.

    The command's own first parameter takes what the context manager gives, made from those options.

    Args:
        options: Makes a context manager; its parameters are annotated as typer's options.
    """

    def decorate(command: Callable[Concatenate[T, P], None]) -> Callable[..., None]:
        by_keyword: Callable[..., None] = command  # as typer calls every command
        shared = inspect.signature(options, eval_str=True).parameters
        first, *own = inspect.signature(command, eval_str=True).parameters.values()

        def run(**values: Any) -> None:
            chosen = {name: values.pop(name) for name in shared}
            with options(**chosen) as value:
                by_keyword(**{first.name: value}, **values)

        parameters = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *shared.values())
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        return run

    return decorate
