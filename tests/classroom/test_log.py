"""What is logged in a cell is kept."""

from __future__ import annotations

import logging

import pytest

from classroom import logs


class TestLogs:
    def test_are_kept_and_nothing_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        with logs() as lines:
            logging.getLogger("tornado.general").warning("a %s", "warning")
            logging.getLogger("tornado.access").warning("200 GET / 3 ms")
        assert lines == ["a warning"]
        assert capsys.readouterr() == ("", "")

    def test_tell_an_exception_by_its_name(self) -> None:
        with logs() as lines:
            try:
                raise KeyError("x")
            except KeyError as error:
                logging.getLogger("asyncio").exception("in %r", object())
                logging.getLogger("asyncio").exception("")
                logging.getLogger("asyncio").exception(error)
        assert lines == ["in: KeyError: 'x'", ": KeyError: 'x'", "'x': KeyError: 'x'"]

    def test_leave_the_loggers_as_they_were_also_after_an_exception(self) -> None:
        loggers = [logging.getLogger(name) for name in ("tornado", "asyncio")]
        before = [(logger.handlers[:], logger.propagate) for logger in loggers]
        with pytest.raises(ZeroDivisionError), logs():
            raise ZeroDivisionError
        assert [(logger.handlers, logger.propagate) for logger in loggers] == before
