"""What is logged in a cell is kept."""

from __future__ import annotations

import logging
import warnings

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

    def test_keep_more_at_another_level(self) -> None:
        log = logging.getLogger("tornado.general")
        with logs() as few, logs("DEBUG") as many:
            log.debug("a detail")
        with logs() as few_again:
            log.debug("a detail")
        assert (few, many, few_again) == ([], ["a detail"], [])

    def test_keep_the_warning_about_a_coroutine_that_was_never_awaited_each_time(self) -> None:
        async def save() -> None:
            """Save nothing."""

        for _ in range(2):
            with logs() as lines:
                save()  # type: ignore[unused-coroutine]
            [line] = lines
            assert line.endswith("save' was never awaited")

    def test_show_other_warnings_as_ever(self) -> None:
        with pytest.warns(RuntimeWarning, match="too hot"), logs() as lines:
            warnings.warn("too hot", RuntimeWarning, stacklevel=1)
        assert lines == []

    def test_leave_the_loggers_as_they_were_also_after_an_exception(self) -> None:
        loggers = [logging.getLogger(name) for name in ("tornado", "asyncio")]
        before = [(logger.handlers[:], logger.propagate, logger.level) for logger in loggers]
        with pytest.raises(ZeroDivisionError), logs("DEBUG"):
            raise ZeroDivisionError
        after = [(logger.handlers, logger.propagate, logger.level) for logger in loggers]
        assert after == before
