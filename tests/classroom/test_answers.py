"""Answers to exercises are kept, checked, helped with, and solved."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from classroom import answers, check, hint, solution
from classroom.answers import keep


class TestExercises:
    RIGHT = 'answer = "c"'
    WRONG = 'answer = "b"'

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
    def test_an_unknown_exercise_is_answered_with_one_that_has_such_a_name(
        self, ask: Any
    ) -> None:
        with pytest.raises(ValueError, match="did you mean 'order_of_turns'") as raised:
            ask("Order_of_turn")
        [shown] = raised.value._render_traceback_()  # type: ignore[attr-defined]
        assert shown.startswith("There is no exercise 'Order_of_turn': did you mean")

    @pytest.mark.parametrize("given", [[], {}, 3, None], ids=repr)
    @pytest.mark.parametrize("ask", [check, hint, solution])
    def test_so_is_what_is_no_name_at_all(self, ask: Any, given: Any) -> None:
        with pytest.raises(ValueError, match="shows all of them") as raised:
            ask(given)
        assert f"there is no exercise {given!r}" in str(raised.value)

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

    def test_where_there_is_nothing_but_a_choice_the_first_hint_comes_after_it(self) -> None:
        assert str(hint("order_of_turns")) == (
            "There is no hint before an answer: choose one, and check it."
        )
        keep("order_of_turns", 'answer = "z"')
        check("order_of_turns")
        assert str(hint("order_of_turns")).startswith("There is no hint before an answer")

    def test_of_a_right_choice_there_is_nothing_to_hint_at(self) -> None:
        keep("order_of_turns", self.RIGHT)
        check("order_of_turns")
        assert str(hint("order_of_turns")) == (
            "Your answer is right, and there was no hint to it."
        )

    def test_the_same_code_as_the_last_time_is_noticed(self) -> None:
        keep("order_of_turns", self.WRONG)
        assert "same code" not in str(check("order_of_turns"))
        assert "same code as the last time" in str(check("order_of_turns"))

    @pytest.mark.parametrize("answer", ["answer = c", "answer = 'C.'", "answer = ' c '"])
    def test_it_does_not_matter_how_a_letter_is_written(self, answer: str) -> None:
        keep("order_of_turns", answer)
        assert check("order_of_turns").right

    @pytest.mark.parametrize(
        "cell",
        [
            'films, line = "c", "s"',
            'films: str = "c"\nline: str = "s"',
            '(films, line) = ["c", "s"]',
            "line = 's'; films = 'c'",
        ],
    )
    def test_nor_how_it_is_assigned(self, cell: str) -> None:
        keep("find_blocking", cell)
        assert check("find_blocking").right

    @pytest.mark.parametrize("answer", ["answer = 'z'", "answer = 3", "print('c')", ""])
    def test_what_is_none_of_the_options_is_told_what_they_are(self, answer: str) -> None:
        keep("order_of_turns", answer)
        verdict = check("order_of_turns")
        assert verdict.mistake == "no_option"
        assert '"a", "b", "c", "d"' in str(verdict)

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
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout
