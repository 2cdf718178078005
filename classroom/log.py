"""What Tornado and asyncio log, kept for a cell that looks at it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def logs(level: str | None = None) -> Iterator[list[str]]:
    """Keep what Tornado and asyncio log while the block runs, instead of printing it.

    Warnings of Python about coroutines that were never awaited are kept, too.

    Args:
        level: such as "DEBUG", to keep what is otherwise left out.

    Yields:
        The lines, one for each message; an exception is told by its name and message.
    """
    lines: list[str] = []
    keeper = _Keeper(lines)
    loggers = [logging.getLogger(name) for name in ("tornado", "asyncio")]
    before = [(logger.propagate, logger.handlers[:], logger.level) for logger in loggers]
    for logger in loggers:
        # In a kernel, Tornado's own logger has a handler that prints.
        logger.handlers[:] = [keeper]
        logger.propagate = False
        if level is not None:
            logger.setLevel(level)
    try:
        with _never_awaited(lines):
            yield lines
    finally:
        for logger, (propagate, handlers, own_level) in zip(loggers, before, strict=True):
            logger.handlers[:] = handlers
            logger.propagate = propagate
            logger.setLevel(own_level)


@contextmanager
def _never_awaited(lines: list[str]) -> Iterator[None]:
    """Keep the warnings about coroutines that were never awaited; show others as ever."""
    with warnings.catch_warnings():
        warnings.filterwarnings("always", ".* was never awaited", RuntimeWarning)
        show = warnings.showwarning

        def keep(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            text = str(message).partition("\n")[0]
            if text.endswith("was never awaited"):
                lines.append(text)
            else:
                show(message, category, filename, lineno, file, line)

        warnings.showwarning = keep
        yield


class _Keeper(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        # The access log has the duration of each request, which differs in every run.
        if record.name == "tornado.access":
            return
        line = record.getMessage().partition("\n")[0]
        if record.exc_info and record.exc_info[0]:
            # The formatted message names objects by their addresses in memory.
            what = str(record.msg).partition("\n")[0].partition(" %")[0]
            line = f"{what}: {record.exc_info[0].__name__}: {record.exc_info[1]}"
        self.lines.append(line)
