"""Exercises from three sides: the stub as it is shipped, the solution, and wrong answers.

And from a fourth: other right answers, in the exercise's `right/`, since there is more than one
way and a checker may not insist on its own.

A wrong answer is a whole cell as people write it, in the exercise's `wrong/`. Its file is named
after the mistake whose hint it must get: `holds_the_loop.py`, and for another way to make the
same mistake `holds_the_loop.polling.py`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nbformat import NotebookNode

from classroom.catalogue import every, folders
from classroom.examining.kinds import Choice
from classroom.examining.mistakes import GENERAL
from classroom.examining.parent import examine
from classroom.examining.verdict import Verdict
from tests.conftest import RAN
from tests.exercises.forked import forked
from tests.paths import ROOT
from tools import refresh

EXERCISES = every()
EXERCISES_FOLDER = ROOT / "exercises"
BOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAGIC = "%%exercise "

each_exercise = pytest.mark.parametrize("name", EXERCISES)


def solution(name: str) -> Path:
    return folders()[name] / "solution.py"


def wrong_answers(name: str) -> list[Path]:
    return sorted((folders()[name] / "wrong").glob("*.py"))


def right_answers(name: str) -> list[Path]:
    return sorted((folders()[name] / "right").glob("*.py"))


def answers(find: Callable[[str], list[Path]]) -> pytest.MarkDecorator:
    found = [(name, path) for name in EXERCISES for path in find(name)]
    ids = [f"{name}-{path.stem}" for name, path in found]
    return pytest.mark.parametrize(("name", "path"), found, ids=ids)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def cells(name: str) -> list[NotebookNode]:
    """The cells of an exercise: from its heading to its solution."""
    book = refresh.read(ROOT / "notebooks" / f"{EXERCISES[name].notebook}.ipynb")
    [start] = [i for i, c in enumerate(book.cells) if c.metadata.get("exercise") == name]
    [end] = [i for i, c in enumerate(book.cells) if c.source == f'solution("{name}")']
    found: list[NotebookNode] = book.cells[start : end + 1]
    return found


def stub(name: str) -> str:
    """The answer cell as it is shipped, without the line of its magic."""
    [cell] = [c for c in cells(name) if c.source.startswith(f"{MAGIC}{name}\n")]
    return str(cell.source.partition("\n")[2])


@pytest.fixture(scope="module")
def verdict_on(request: pytest.FixtureRequest) -> Iterator[Callable[[str, Path], Verdict]]:
    """Examine the answers of all tests that were asked for, four at a time, in advance."""
    wanted = {
        (params["name"], params["path"])
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
        if "path" in (params := item.callspec.params)
    }
    with forked(), ThreadPoolExecutor(4) as threads:
        coming = {
            (name, path): threads.submit(examine, EXERCISES[name], read(path))
            for name, path in sorted(wanted)
        }
        yield lambda name, path: coming[name, path].result()
        threads.shutdown(cancel_futures=True)


# -- the three sides ---------------------------------------------------------------------------


@each_exercise
def test_the_stub_is_not_done_yet(name: str, pytestconfig: pytest.Config) -> None:
    verdict = examine(EXERCISES[name], stub(name))
    assert verdict.state == "not done", verdict
    pytestconfig.stash[RAN]["exercises"] += 1


@answers(lambda name: [solution(name)])
def test_the_solution_is_right(
    name: str,
    path: Path,
    verdict_on: Callable[[str, Path], Verdict],
    pytestconfig: pytest.Config,
) -> None:
    verdict = verdict_on(name, path)
    assert verdict.right, verdict
    pytestconfig.stash[RAN]["solutions"] += 1


@answers(right_answers)
def test_another_right_answer_is_right_too(
    name: str,
    path: Path,
    verdict_on: Callable[[str, Path], Verdict],
    pytestconfig: pytest.Config,
) -> None:
    verdict = verdict_on(name, path)
    assert verdict.right, verdict
    pytestconfig.stash[RAN]["other right answers"] += 1


@answers(wrong_answers)
def test_a_wrong_answer_is_refused_with_the_hint_for_its_mistake(
    name: str,
    path: Path,
    verdict_on: Callable[[str, Path], Verdict],
    pytestconfig: pytest.Config,
) -> None:
    verdict = verdict_on(name, path)
    assert verdict.state == "wrong", verdict
    assert verdict.mistake == path.name.partition(".")[0], verdict
    own = {mistake.key for mistake in EXERCISES[name].mistakes}
    assert verdict.mistake in own | GENERAL
    assert verdict.looks_like and verdict.hints and all(verdict.hints), verdict
    pytestconfig.stash[RAN]["wrong answers"] += 1


# -- what an exercise must have ----------------------------------------------------------------


def test_the_notebooks_and_the_folders_have_the_same_exercises() -> None:
    in_books = [
        (path.stem, cell.metadata.exercise)
        for path in BOOKS
        for cell in refresh.read(path).cells
        if "exercise" in cell.metadata
    ]
    assert sorted(in_books) == [(each.notebook, name) for name, each in EXERCISES.items()]


def test_there_is_nothing_in_a_folder_that_nobody_would_find() -> None:
    for book in {folder.parent for folder in folders().values()}:
        inside = {path.name for path in visible(book) if path.is_dir()}
        assert inside == {name for name, each in folders().items() if each.parent == book}
    for folder in folders().values():
        inside = {path.name for path in visible(folder) if path.suffix != ".py"}
        assert inside <= {"wrong", "right"}
        answers = [*visible(folder / "wrong"), *visible(folder / "right")]
        assert all(path.is_file() and path.suffix == ".py" for path in answers)
        assert (folder / "solution.py").is_file()


def visible(folder: Path) -> list[Path]:
    """What is in a folder, if it is there, but for what Python leaves."""
    return [path for path in folder.glob("*") if path.name != "__pycache__"]


def test_no_two_exercises_have_one_name() -> None:
    checks = [*EXERCISES_FOLDER.glob("*/*/check.py")]
    assert len(checks) == len(folders()) == len(EXERCISES)


@each_exercise
def test_it_has_a_heading_an_answer_a_check_and_a_solution(name: str) -> None:
    first, *rest = cells(name)
    assert re.match(r"### Exercise( \(more\))?: ", first.source)
    assert (" (more): " in first.source) == (first.metadata.path == "more")
    sources = [cell.source for cell in rest[-3:]]
    assert sources[0].startswith(f"{MAGIC}{name}\n")
    assert sources[1:] == [f'check("{name}")', f'solution("{name}")']


@each_exercise
def test_it_takes_a_quarter_of_an_hour_at_most_and_says_how_long(name: str) -> None:
    heading = cells(name)[0]
    assert 0 < heading.metadata.minutes <= 15
    title = heading.source.partition("\n")[0]
    assert title.endswith(f" ({heading.metadata.minutes} min)")


@each_exercise
def test_there_are_three_wrong_answers_or_more(name: str) -> None:
    assert len(wrong_answers(name)) >= 3


@pytest.mark.parametrize(
    "name", [name for name, each in EXERCISES.items() if not isinstance(each, Choice)]
)
def test_code_has_two_other_right_answers_or_more(name: str) -> None:
    assert len(right_answers(name)) >= 2


@each_exercise
def test_each_mistake_has_a_hint_and_an_answer_that_gets_it(name: str) -> None:
    made = {path.name.partition(".")[0] for path in wrong_answers(name)}
    for mistake in EXERCISES[name].mistakes:
        assert mistake.hints and mistake.key in made, mistake.key


@each_exercise
def test_each_mistake_has_a_name_of_its_own(name: str) -> None:
    mistakes = EXERCISES[name].mistakes
    assert len({mistake.key for mistake in mistakes}) == len(mistakes)
    assert len({mistake.hints[0] for mistake in mistakes}) == len(mistakes)


@pytest.mark.parametrize(
    "name", [name for name, each in EXERCISES.items() if isinstance(each, Choice)]
)
class TestAChoice:
    def test_has_one_right_option_for_each_question(self, name: str) -> None:
        exercise = EXERCISES[name]
        assert isinstance(exercise, Choice) and exercise.questions
        for options in exercise.questions.values():
            assert [*options.values()].count(None) == 1 and len(options) >= 4

    def test_has_a_wrong_answer_for_each_wrong_option(self, name: str) -> None:
        exercise = EXERCISES[name]
        assert isinstance(exercise, Choice)
        keys = [path.stem for path in wrong_answers(name)]
        assert sorted(keys) == sorted(mistake.key for mistake in exercise.mistakes)

    def test_names_its_options_on_the_page(self, name: str) -> None:
        exercise = EXERCISES[name]
        assert isinstance(exercise, Choice)
        page = "\n".join(cell.source for cell in cells(name)[:-3])
        for options in exercise.questions.values():
            for option in options:
                assert re.search(rf"\*\*{option}\*\*|\"{option}\"|`{option}`", page), option


@each_exercise
def test_a_stub_is_short_and_keeps_what_the_solution_keeps(name: str) -> None:
    lines = [line for line in stub(name).splitlines() if line.strip()]
    assert len(lines) <= 20
    kept = definitions(stub(name))
    assert kept <= definitions(read(solution(name)))


def definitions(source: str) -> set[str]:
    """The names and parameters of the functions and classes in a cell, and their docstrings."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            story = ast.get_docstring(node) or ""
            takes = "" if isinstance(node, ast.ClassDef) else ast.unparse(node.args)
            found.add(f"{node.name}({takes}): {story}")
    return found
