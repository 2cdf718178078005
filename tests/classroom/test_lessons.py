"""What the notebooks need besides servers."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from classroom import (
    answers,
    check,
    count_lines,
    hint,
    in_a_process,
    logs,
    on_a_loop,
    predict,
    show,
    solution,
)
from classroom.answers import keep
from classroom.examining.verdict import Verdict
from classroom.scripts import environment
from stormy_demo import callbacks


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
        assert in_a_process("import loopfilm") == ""

    def test_a_script_that_fails_says_why(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(subprocess.CalledProcessError):
            in_a_process("1 / 0")
        assert "ZeroDivisionError" in capsys.readouterr().out


class TestExercises:
    RIGHT = 'answer = "c"'
    WRONG = 'answer = "e"'

    @pytest.fixture(autouse=True)
    def nothing_was_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for memory in ("_kept", "_checked", "_hinted"):
            monkeypatch.setattr(answers, memory, {})

    def test_an_answer_is_kept_and_then_checked(self) -> None:
        assert str(keep("order_of_turns", self.RIGHT)).startswith("Kept.")
        assert check("order_of_turns").right

    def test_without_an_answer_the_check_says_what_to_run(self) -> None:
        assert "Run the cell that begins with %%exercise order_of_turns" in str(
            check("order_of_turns")
        )

    @pytest.mark.parametrize("ask", [check, hint, solution, lambda name: keep(name, "")])
    def test_an_unknown_exercise_is_answered_with_those_that_there_are(self, ask: Any) -> None:
        with pytest.raises(ValueError, match="it is one of carry_error, "):
            ask("order_of_turn")

    def test_a_wrong_answer_shows_its_first_hint_and_then_one_after_the_other(self) -> None:
        keep("order_of_turns", self.WRONG)
        first, second = check("order_of_turns").hints
        assert first in str(check("order_of_turns"))
        assert second not in str(check("order_of_turns"))
        assert str(hint("order_of_turns")) == f"{second} (2 of 2)"
        assert str(hint("order_of_turns")).startswith("That was the last hint.")

    def test_another_mistake_begins_with_its_own_hints(self) -> None:
        keep("order_of_turns", self.WRONG)
        check("order_of_turns")
        hint("order_of_turns")
        keep("order_of_turns", 'answer = "a"')
        second = check("order_of_turns").hints[1]
        assert str(hint("order_of_turns")) == f"{second} (2 of 2)"

    def test_who_has_not_begun_gets_hints_for_the_beginning(self) -> None:
        assert "(1 of 3)" in str(hint("delayed_answer"))
        keep("delayed_answer", "...")
        check("delayed_answer")
        assert "(2 of 3)" in str(hint("delayed_answer"))

    def test_a_right_answer_needs_no_hint(self) -> None:
        keep("order_of_turns", self.RIGHT)
        check("order_of_turns")
        assert "is right" in str(hint("order_of_turns"))

    def test_the_same_code_as_the_last_time_is_noticed(self) -> None:
        keep("order_of_turns", self.WRONG)
        assert "same code" not in str(check("order_of_turns"))
        assert "same code as the last time" in str(check("order_of_turns"))

    @pytest.mark.parametrize("answer", ["answer = c", "answer = 'C.'", "answer = ' c '"])
    def test_it_does_not_matter_how_a_letter_is_written(self, answer: str) -> None:
        keep("order_of_turns", answer)
        assert check("order_of_turns").right

    @pytest.mark.parametrize("answer", ["answer = 'z'", "answer = 3", "print('c')", ""])
    def test_what_is_none_of_the_options_is_told_what_they_are(self, answer: str) -> None:
        keep("order_of_turns", answer)
        verdict = check("order_of_turns")
        assert verdict.mistake == "no_option"
        assert '"a", "b", "c", "d", "e"' in str(verdict)

    def test_the_solution_is_folded_away_and_comes_from_its_file(self) -> None:
        shown = solution("delayed_answer")
        assert str(shown) == "The solution is in solutions/01_callbacks/delayed_answer.py"
        assert shown._repr_html_().startswith("<details><summary>")
        assert "class Late(RequestHandler):" in shown._repr_html_()


class TestWhereItRuns:
    """A kernel looks first in the folder of its notebook, and a learner may change the path."""

    @pytest.mark.parametrize("name", ["exercises.py", "exercises/__init__.py", "benchmarks.py"])
    def test_a_file_of_the_learner_s_hides_no_room(self, name: str, tmp_path: Path) -> None:
        mine = tmp_path / name
        mine.parent.mkdir(exist_ok=True)
        mine.write_text("")
        assert self.run("import exercises, benchmarks", tmp_path).startswith("Right.")

    def test_what_else_is_on_the_path_does_not_matter(self, tmp_path: Path) -> None:
        code = "import pathlib; sys.path.insert(0, pathlib.Path.cwd())"
        assert self.run(code, tmp_path).startswith("Right.")

    @staticmethod
    def run(code: str, folder: Path) -> str:
        """Check a solution after some code, in a process that looks first in a folder."""
        script = (
            f"import sys; sys.path.insert(0, ''); {code}\n"
            "from classroom import check, measured\n"
            "from classroom.answers import keep\n"
            "from classroom.catalogue import folders\n"
            "measured.conformance()\n"
            "solution = folders()['join_in_order'] / 'solution.py'\n"
            "keep('join_in_order', solution.read_text())\n"
            "print(check('join_in_order'))"
        )
        command = [sys.executable, "-c", script]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, env=environment()
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


class TestVerdict:
    def test_is_text_and_in_a_notebook_more_than_that(self) -> None:
        verdict = Verdict(
            "x",
            "wrong",
            tried=["one.", "two < three."],
            expected="`this`",
            got="that",
            looks_like="a slip",
            hints=["think", "look"],
            svg="<svg/>",
            alt="ada: alone.",
        )
        assert str(verdict).splitlines() == [
            "Not right yet.",
            "Tried:         two < three.",
            "Expected:      `this`",
            "Got:           that",
            "It looks like: a slip",
            "Hint:          think",
            'One more hint: `hint("x")`',
            "Film: ada: alone.",
        ]
        page = verdict._repr_html_()
        assert "two &lt; three." in page and "<code>this</code>" in page
        assert '<img src="data:image/svg+xml;base64,' in page and 'alt="ada: alone."' in page

    def test_survives_the_way_to_another_process(self) -> None:
        verdict = Verdict("x", "right", tried=["one", "two"])
        assert Verdict(**json.loads(json.dumps(verdict.as_data()))) == verdict
