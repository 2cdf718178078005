"""What Tornado and asyncio log, kept for a cell that looks at it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def logs() -> Iterator[list[str]]:
    """Keep what Tornado and asyncio log while the block runs, instead of printing it.

    Yields:
        The lines, one for each message; an exception is told by its name and message.
    """
    lines: list[str] = []
    keeper = _Keeper(lines)
    loggers = [logging.getLogger(name) for name in ("tornado", "asyncio")]
    before = [(logger.propagate, logger.handlers[:]) for logger in loggers]
    for logger in loggers:
        # In a kernel, Tornado's own logger has a handler that prints.
        logger.handlers[:] = [keeper]
        logger.propagate = False
    try:
        yield lines
    finally:
        for logger, (propagate, handlers) in zip(loggers, before, strict=True):
            logger.handlers[:] = handlers
            logger.propagate = propagate


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
