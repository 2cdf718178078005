"""What the notebooks need besides servers."""

from __future__ import annotations

import logging
import subprocess

import pytest
from tornado.ioloop import IOLoop

from stormy_demo import callbacks
from stormy_demo.lessons import count_lines, in_a_process, logs, on_a_loop, predict, show


class TestPredict:
    @pytest.mark.parametrize(
        ("expected", "found"),
        [
            ((3,), 3),
            ((3.0,), 3),
            (("3",), 3),
            (("Queue", "timer."), ["queue", "timer"]),
            ((["queue", "timer"],), ["queue", "timer"]),
            ((200, ""), (200, "")),
            (("nothing",), []),
        ],
    )
    def test_a_right_one_is_told_as_such(
        self, expected: tuple[object, ...], found: object, capsys: pytest.CaptureFixture[str]
    ) -> None:
        predict(*expected).compare(found)
        assert capsys.readouterr().out.startswith("As you predicted: ")

    @pytest.mark.parametrize(("expected", "found"), [((2,), 3), (("a", "b"), ["b", "a"])])
    def test_a_wrong_one_stands_above_what_was_found(
        self, expected: tuple[object, ...], found: object, capsys: pytest.CaptureFixture[str]
    ) -> None:
        predict(*expected).compare(found)
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
            "You",
            "It",
        ]

    def test_without_one_only_what_was_found_is_told(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for empty in (predict(...), predict()):
            assert str(empty).startswith("No prediction yet")
            empty.compare(["queue", ""])
            assert capsys.readouterr().out == "It was: queue, ''\n"


class TestSource:
    def test_is_the_code_as_it_stands_in_its_file(self) -> None:
        source = show(callbacks.ResourceHandler.fail)
        assert str(source).startswith("def fail(self")
        assert source._repr_markdown_() == f"```python\n{source}\n```"

    def test_lines_of_code_are_counted_without_documentation(self) -> None:
        assert count_lines(predict) == 2
        assert count_lines(callbacks.make_app) == 2


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


class TestOnALoop:
    def test_runs_until_the_loop_is_stopped(self) -> None:
        order: list[str] = []

        def script() -> None:
            IOLoop.current().add_callback(order.append, "later")
            IOLoop.current().add_callback(IOLoop.current().stop)
            order.append("now")

        on_a_loop(script)
        assert order == ["now", "later"]

    def test_gives_the_script_s_own_exception_to_the_caller(self) -> None:
        with pytest.raises(ZeroDivisionError):
            on_a_loop(lambda: 1 / 0)

    def test_a_script_that_never_stops_is_stopped(self) -> None:
        with pytest.raises(TimeoutError, match="nothing stopped the loop"):
            on_a_loop(lambda: None, seconds=0.01)


class TestInAProcess:
    def test_returns_what_was_printed(self) -> None:
        assert in_a_process("print(6 * 7)") == "42"

    def test_sees_the_package(self) -> None:
        assert in_a_process("import stormy_demo.film") == ""

    def test_a_script_that_fails_says_why(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(subprocess.CalledProcessError):
            in_a_process("1 / 0")
        assert "ZeroDivisionError" in capsys.readouterr().out
