"""What must hold of the notebooks beyond their outputs, which nbval compares."""

from __future__ import annotations

import ast
import asyncio
import builtins
import itertools
import json
import queue
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from nbformat import NotebookNode
from tornado.ioloop import IOLoop

from classroom import answers, on_a_loop
from classroom.catalogue import every, folders
from classroom.examining.kinds import Choice
from classroom.examining.verdict import Verdict
from classroom.predictions import FIRST
from tests.cells import names_made, names_read, names_used, with_solution
from tests.kernels import PATIENCE, running_kernel
from tests.lessons import PICKED
from tests.paths import ROOT
from tools import refresh
from tools.working_copy import working_copy

CORE = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALL = refresh.notebooks()


def each_of(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def sections(path: Path) -> list[NotebookNode]:
    """The cells that begin a section or an exercise: those that say how long it takes."""
    return [cell for cell in refresh.read(path).cells if "minutes" in cell.metadata]


def stands_alone(path: Path) -> bool:
    """Whether the sections of a notebook are to be picked."""
    return any(cell.metadata.path == "pick" for cell in sections(path))


STAND_ALONE = [path for path in CORE if stands_alone(path)]

# -- running ----------------------------------------------------------------------------------


class Reply(NamedTuple):
    """What a kernel says to a cell: its status, its error, its number, and what it shows."""

    status: str
    error: str
    number: int
    outputs: list[NotebookNode]


def run_all(client: BlockingKernelClient, cells: list[NotebookNode]) -> Iterator[Reply]:
    """Send all cells at once, as Run All does; give the reply to each."""
    sent = [client.execute(cell.source, stop_on_error=False) for cell in cells]
    for message in sent:
        reply = client.get_shell_msg(timeout=PATIENCE)
        while reply["msg_type"] != "execute_reply":
            reply = client.get_shell_msg(timeout=PATIENCE)
        # They come in the order of asking; one that is missing is a cell that stays [*].
        assert reply["parent_header"]["msg_id"] == message
        content = reply["content"]
        error = "\n".join(content.get("traceback", []))
        outputs = list(outputs_of(client, message))
        yield Reply(content["status"], error, content["execution_count"], outputs)


def outputs_of(client: BlockingKernelClient, message: str) -> Iterator[NotebookNode]:
    """What the answer to one message shows, to its end."""
    while True:
        heard = client.get_iopub_msg(timeout=PATIENCE)
        if heard["parent_header"].get("msg_id") == message:
            if heard["content"].get("execution_state") == "idle":
                return
            if heard["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                yield nbformat.v4.output_from_msg(heard)


def in_one_piece(outputs: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Outputs as they are kept: a busy kernel may send what is printed in pieces."""
    for (kind, name), pieces in itertools.groupby(
        outputs, lambda output: (output.output_type, output.get("name"))
    ):
        if kind == "stream":
            text = "".join(piece.text for piece in pieces)
            yield nbformat.v4.new_output("stream", name=name, text=text)
        else:
            yield from pieces


class Runs(NamedTuple):
    """Two runs of a notebook.

    Attributes:
        page: the notebook as the first run leaves it.
        wrong: what was wrong in either.
        told: what the working copy, which is the second, told too early.
        refused: what a check said in the second, where each answer is the solution, and that is
            not that it is right.
        left: what was left in the second when a section had ended, if they stand alone.
    """

    page: NotebookNode
    wrong: list[str]
    told: list[str]
    refused: list[str]
    left: list[str]


PREDICT_FIRST = nbformat.v4.new_code_cell(
    "import os; os.environ['STORMY_PREDICT_FIRST'] = '1'", id="switch"
)

# Whatever a notebook starts on our Python is forked from one that has imported what most of it
# imports. nbval runs each notebook with Pythons of their own, and what differs here is that all
# cells are sent at once. What begins with an underscore is no name of a lesson.
FORK = """\
import os as _os, subprocess as _subprocess
from tests import quick_start as _quick_start

_begin = _subprocess.Popen
if _quick_start.CAN_FORK:
    # Read where a Python starts, see `classroom.examining.parent`.
    _os.environ["MALLOC_ARENA_MAX"] = "1"
    _quick_start.forks()
    del _os.environ["MALLOC_ARENA_MAX"]

    class _Fork(_quick_start.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, knows=["psutil", "aiohttp.web"], **options)

    _subprocess.Popen = _Fork
"""
FORK_NO_MORE = nbformat.v4.new_code_cell("_subprocess.Popen = _begin", id="fork-no-more")

# Begins the ids of cells that say what is left.
LEFT = "left-"


def with_notes(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Have a kernel say at the end of each section what is left of it."""
    begin = "from tests.leftovers import Leftovers; _leftovers = Leftovers()"
    sources = [begin]
    found: list[NotebookNode] = []
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            # At the end of the section before, or of what is in front of the first.
            found.append(nbformat.v4.new_code_cell(sources.pop(), id=f"{LEFT}{len(found)}"))
            title = cell.source.partition("\n")[0]
            sources.append(f"print(*({title!r} + ': ' + it for it in _leftovers.found()))")
        found.append(cell)
    return [*found, nbformat.v4.new_code_cell("_leftovers.close()", id=f"{LEFT}end")]


def run_twice(path: Path) -> Runs:
    """Run a notebook in a kernel, and then as a working copy.

    In that nobody predicts, and each exercise is done. What is left when a section has ended is
    known by the environment with which it was started, which is not told of what is forked.
    """
    runs = Runs(refresh.read(path), [], [], [], [])
    committed = runs.page.cells
    text = json.dumps(working_copy(path))
    copy = nbformat.reads(text, as_version=4).cells if path in CORE else committed
    if path in CORE:
        put_solutions(copy)
    again = [FORK_NO_MORE, *with_notes(copy)] if path in STAND_ALONE else copy
    with running_kernel(path.parent) as (_, client):
        # Not counted among the cells.
        begun = client.execute_interactive(FORK, store_history=False, timeout=PATIENCE)
        assert begun["content"]["status"] == "ok", begun
        for time, cells in (("first", committed), ("second", [PREDICT_FIRST, *again])):
            code = [cell for cell in cells if cell.cell_type == "code"]
            outputs = {}
            replies = run_all(client, code)
            for cell in code:
                try:
                    status, error, number, outputs[cell.id] = next(replies)
                except queue.Empty:
                    runs.wrong.append(f"{path.name}, {time} time: no answer to {cell.source}")
                    return runs
                if status != "ok":
                    runs.wrong.append(f"{path.name}, {time} time: {cell.source}\n{error}")
                if time == "first":
                    cell.outputs = list(in_one_piece(outputs[cell.id]))
                    cell.execution_count = number
        runs.told.extend(told_too_early([PREDICT_FIRST, *copy], outputs))
        runs.refused.extend(refused(copy, outputs))
        said = (
            each for id_, shown in outputs.items() if id_.startswith(LEFT) for each in shown
        )
        runs.left.extend(line for each in said if (line := each.text.strip()))
    return runs


MAGIC = "%%exercise "


def put_solutions(cells: list[NotebookNode]) -> None:
    """Write the solution of each exercise where the answer stands."""
    for cell in cells:
        magic, _, _ = cell.source.partition("\n")
        if magic.startswith(MAGIC):
            solution = folders()[magic.removeprefix(MAGIC)] / "solution.py"
            cell.source = f"{magic}\n{solution.read_text(encoding='utf-8')}"


def refused(cells: list[NotebookNode], outputs: dict[str, list[NotebookNode]]) -> Iterator[str]:
    """What is said by the checks that do not say that an answer is right."""
    for cell in cells:
        if cell.source.startswith("check("):
            said = [each.get("data", {}).get("text/plain", "") for each in outputs[cell.id]]
            if not "".join(said).startswith("Right."):
                yield f"{cell.source} says {said}"


# What follows a comparison, is shown without a prediction, and does not tell.
TELLS_NOTHING = {
    "generator-next",
    "graph-tasks",
    "index-answers",
    "price-lock-mended-run",
    "price-context-run",
}


def told_too_early(
    cells: list[NotebookNode], outputs: dict[str, list[NotebookNode]]
) -> Iterator[str]:
    """What tells an answer while a prediction is empty, until the text goes on."""
    asked = compared = False
    for cell in cells:
        if cell.cell_type == "markdown":
            is_folded = cell.source.startswith("<details>")
            # What was learned is in bold.
            if asked and "**" in cell.source and not is_folded:
                yield f"{cell.id} is not folded"
            asked = asked and (is_folded or not compared)
        elif re.search(r"\bpredict\(", cell.source):
            asked, compared = True, False
        elif asked:
            shown = outputs[cell.id]
            if ".compare(" in cell.source:
                compared = True
                # A busy kernel may send a line in pieces.
                texts = [output.get("text", "another output") for output in shown]
                if "".join(texts) != f"{FIRST}\n":
                    yield f"{cell.id} compares, and shows {str(shown)[:200]}"
            elif shown and not (compared and cell.id in TELLS_NOTHING):
                told = [output.get("data", {}).get("text/plain") for output in shown]
                if told != [FIRST]:
                    yield f"{cell.id} shows {str(shown)[:200]}"


@pytest.fixture(scope="module")
def runs() -> dict[Path, Runs]:
    """All notebooks side by side, since that is how they are used."""
    with ThreadPoolExecutor(len(ALL)) as threads:
        return dict(zip(ALL, threads.map(run_twice, ALL), strict=True))


@each_of(ALL)
def test_every_cell_is_answered_when_all_are_sent_at_once_and_then_once_more(
    path: Path, runs: dict[Path, Runs]
) -> None:
    assert not runs[path].wrong, "\n\n".join(runs[path].wrong)


@each_of(CORE)
def test_nothing_tells_before_there_is_a_prediction(path: Path, runs: dict[Path, Runs]) -> None:
    assert not runs[path].told, "\n".join(runs[path].told)


@each_of(CORE)
def test_with_all_solutions_in_their_places_the_checks_say_that_all_is_right(
    path: Path, runs: dict[Path, Runs]
) -> None:
    assert not runs[path].refused, "\n".join(runs[path].refused)


@each_of(STAND_ALONE)
def test_a_section_ends_whatever_it_has_started(path: Path, runs: dict[Path, Runs]) -> None:
    """Processes, also those whose parent has ended, ports, and files."""
    assert not runs[path].left, "\n".join(runs[path].left)


@each_of(ALL)
def test_refresh_check_finds_it_up_to_date(
    path: Path,
    runs: dict[Path, Runs],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With the run that the tests above have made, of all cells at once."""
    monkeypatch.setattr(refresh, "run", lambda _: refresh.normalised(runs[path].page))
    assert refresh.refresh(path, check=True), capfd.readouterr().out


def test_refresh_notices_an_output_that_a_run_does_not_give(tmp_path: Path) -> None:
    page = tmp_path / "page.ipynb"
    source = {"cell_type": "code", "id": "a", "metadata": {}, "source": "print(6 * 7)"}
    output = {"output_type": "stream", "name": "stdout", "text": "41\n"}
    notebook: dict[str, Any] = {"cells": [source | {"outputs": [output], "execution_count": 1}]}
    notebook |= {"metadata": refresh.METADATA, "nbformat": 4, "nbformat_minor": 5}
    page.write_text(json.dumps(notebook), encoding="utf-8")
    before = page.read_bytes()

    assert not refresh.refresh(page, check=True)
    assert page.read_bytes() == before
    refresh.refresh(page, check=False)
    assert refresh.read(page).cells[0].outputs[0].text == "42\n"
    assert refresh.refresh(page, check=True)


@pytest.mark.parametrize("source", ["1 / 0", "import os; os._exit(1)"])
def test_refresh_fails_when_a_cell_does_or_the_kernel_dies(source: str, tmp_path: Path) -> None:
    page = tmp_path / "page.ipynb"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source}
    notebook: dict[str, Any] = {"cells": [cell | {"outputs": [], "execution_count": None}]}
    notebook |= {"metadata": refresh.METADATA, "nbformat": 4, "nbformat_minor": 5}
    page.write_text(json.dumps(notebook), encoding="utf-8")
    before = page.read_bytes()

    with pytest.raises(refresh.Failed):
        refresh.refresh(page, check=False)
    assert page.read_bytes() == before


# -- the page ---------------------------------------------------------------------------------


@each_of(ALL)
def test_every_code_cell_was_run_in_its_order(path: Path) -> None:
    """A cell that was never run has nothing to compare: strict nbval lets it pass."""
    counts = [cell.execution_count for cell in code_cells(refresh.read(path))]
    assert counts == list(range(1, len(counts) + 1))


@each_of(ALL)
def test_nothing_on_the_page_comes_from_the_error_stream(path: Path) -> None:
    for cell in code_cells(refresh.read(path)):
        for output in cell.outputs:
            assert output.get("name") != "stderr", cell.source
            assert output.output_type != "error", cell.source


@each_of(CORE)
def test_cells_are_short(path: Path) -> None:
    """A beginner reads a cell at one glance; a class or a program may take a little more.

    The cell of an exercise stands for itself, with its imports, see `test_exercises`.
    """
    for cell in code_cells(refresh.read(path)):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        is_imports = all(re.match(r"import|from", line) for line in lines)
        is_exercise = cell.source.startswith("%%exercise ")
        assert len(lines) <= 13 or is_imports or is_exercise, cell.source


@each_of(ALL)
def test_the_prose_has_no_exclamation_marks(path: Path) -> None:
    for cell in refresh.read(path).cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"```.*?```|`[^`]*`|!\[", "", cell.source, flags=re.DOTALL)
            assert not re.search(r"!(?!=)", prose), cell.source


@each_of(CORE)
def test_a_cell_that_is_folded_in_the_working_copies_is_text_without_a_heading(
    path: Path,
) -> None:
    for cell in refresh.read(path).cells:
        if "answer" in cell.metadata.get("tags", []):
            assert cell.cell_type == "markdown", cell.id
            text = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
            assert not re.search(r"^#+ ", text, re.MULTILINE), cell.id


def test_the_first_notebook_gets_by_without_async_and_await() -> None:
    for cell in code_cells(refresh.read(CORE[0])):
        assert not {"async", "await"} & names_used(cell.source), cell.source


def test_the_call_graph_on_the_page_is_the_one_that_python_prints(tmp_path: Path) -> None:
    """From 3.14 on; an older Python says that it has none."""
    lesson = refresh.read(ROOT / "notebooks" / "02_coroutines.ipynb")
    lesson.cells = [cell for cell in lesson.cells if re.match("imports|graph", cell.id)]
    page = tmp_path / "page.ipynb"
    nbformat.write(lesson, page)

    cells = {cell.id: cell for cell in refresh.run(page).cells}
    printed = cells["graph-print"].outputs[0].text
    if hasattr(asyncio, "print_call_graph"):
        recorded = re.search(r"```text\n(.*?)```", cells["graph-recorded"].source, re.DOTALL)
        assert recorded
        assert re.sub(r"(?<=id=0x)\w+|(?<=File ')[^']+", "…", printed) == recorded[1]
    else:
        assert printed.startswith("This Python is older than 3.14")


# -- the lesson plan --------------------------------------------------------------------------


@each_of(CORE)
def test_every_section_says_its_minutes_its_path_and_what_it_teaches(path: Path) -> None:
    for cell in refresh.read(path).cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            if cell.source.startswith("## What you can do now"):
                continue
            assert cell.metadata.get("path") in ("core", "more", "pick"), cell.source
            assert cell.metadata.get("minutes", 0) > 0, cell.source
            assert isinstance(cell.metadata.get("teaches"), list), cell.source


def core_and_more(path: Path) -> tuple[int, int]:
    """The minutes of what everybody does, and of what is for fast people and for home."""
    minutes: dict[str, list[int]] = {"core": [], "more": [], "pick": []}
    for cell in sections(path):
        minutes[cell.metadata.path].append(cell.metadata.minutes)
    picked = sorted(minutes["pick"], reverse=True)
    core = sum(minutes["core"]) + sum(picked[:PICKED])
    return core, sum(minutes["more"]) + sum(picked[PICKED:])


@each_of(CORE)
def test_the_core_minutes_add_up_to_the_heading(path: Path) -> None:
    heading = refresh.read(path).cells[0].source
    what = "Pick three of the seven" if stands_alone(path) else "Core"
    promised = re.search(rf"{what}: (\d+) minutes", heading)
    assert promised, heading
    assert core_and_more(path)[0] == int(promised[1])


@each_of(STAND_ALONE)
def test_a_section_that_can_be_picked_uses_nothing_of_another(path: Path) -> None:
    cells = refresh.read(path).cells
    imports = next(cell for cell in cells if cell.cell_type == "code")
    known = names_made(imports.source) | set(dir(builtins)) | {"_"}
    for part in parts(path, until="## "):
        code = [cell.source for cell in part if cell.cell_type == "code"]
        sources = [source for source in code if not source.startswith("%%exercise")]
        made = set().union(*map(names_made, sources))
        assert not (read_of := names_read(sources) - made - known), (part[0].source, read_of)


@each_of(STAND_ALONE)
def test_a_slide_of_the_talk_ends_at_each_section_that_can_be_picked(path: Path) -> None:
    talk = refresh.read(ROOT / "slides" / "stormy_webber.ipynb")
    ends = [cell.source for cell in talk.cells if "on" in cell.metadata.get("tags", [])]
    led_to = re.findall(rf"\b{path.stem}(?:\.ipynb)?`((?:,? (?:and )?\d+)+)", "\n".join(ends))
    numbers = {int(number) for each in led_to for number in re.findall(r"\d+", each)}
    assert numbers == set(range(1, len(parts(path, until="## ")) + 1))


# What a novice needs, as people who had never seen asynchronous code did.
WORDS_A_MINUTE = 180  # of prose and of code; what a run prints is looked at, and not read
SECONDS_FOR_A_PREDICTION = 100
SECONDS_FOR_A_CELL = 10


def words_read(cell: NotebookNode) -> int:
    """The words of a cell, and of the source that it shows; `a.b(c)` has three."""
    shown = [
        output.get("data", {}).get("text/markdown", "") for output in cell.get("outputs", [])
    ]
    return len(re.findall(r"\w+", " ".join([cell.source, *shown])))


def minutes_needed(cells: list[NotebookNode]) -> float:
    """The least minutes for a section; for an exercise, those before anybody writes."""
    seconds = 0.0
    for cell in cells:
        seconds += words_read(cell) * 60 / WORDS_A_MINUTE
        if cell.cell_type == "code":
            asks = "= predict(..." in cell.source
            seconds += SECONDS_FOR_A_PREDICTION if asks else SECONDS_FOR_A_CELL
    return seconds / 60


def parts(path: Path, until: str = "##") -> list[list[NotebookNode]]:
    """The cells of each section and exercise, as a working copy has them."""
    found: list[list[NotebookNode]] = []
    for cell in refresh.read(path).cells:
        if cell.cell_type == "markdown" and cell.source.startswith(until):
            found.append([])
        if found and "author" not in cell.metadata.get("tags", []):
            found[-1].append(cell)
    return [part for part in found if "minutes" in part[0].metadata]


@each_of(CORE)
def test_a_heading_says_its_minutes_and_they_are_enough(path: Path) -> None:
    for part in parts(path):
        heading, minutes = part[0].source.partition("\n")[0], part[0].metadata.minutes
        assert heading.endswith(f" ({minutes} min)"), heading
        needed = minutes_needed(part)
        assert minutes >= needed, f"{heading}, and it takes {needed:.1f}"


@each_of(CORE)
def test_a_core_exercise_has_time_for_its_debrief(path: Path) -> None:
    """Beside the reading: two minutes at least to write, or one to choose, and two to talk."""
    for part in parts(path):
        if "exercise" in part[0].metadata and part[0].metadata.path == "core":
            writes = 1 if isinstance(every()[part[0].metadata.exercise], Choice) else 2
            assert part[0].metadata.minutes >= minutes_needed(part) + writes + 2, part[0].source


@each_of(CORE)
def test_the_agenda_and_the_readme_give_the_same_minutes(path: Path) -> None:
    core, more = core_and_more(path)
    for paper in ("README.md", "TEACHING.md"):
        rows = (ROOT / paper).read_text(encoding="utf-8").splitlines()
        row = next((row for row in rows if row.startswith("|") and path.name in row), "")
        said = f"| {core} min | {more} min |"
        assert row.endswith(said), f"{paper}: {row or 'no row'}, and it is {said}"


@each_of(CORE)
def test_the_plan_has_each_section_with_its_minutes(path: Path) -> None:
    plan = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    for section in sections(path):
        if "exercise" not in section.metadata:
            title = re.sub(r"^## | \(\d+ min\)$", "", section.source.partition("\n")[0])
            row = f"| {path.name[:2]}, {title} | {section.metadata.minutes} | "
            assert row.lower() in plan.lower(), row


@each_of(CORE)
def test_the_agenda_lists_the_minutes_of_each_section(path: Path) -> None:
    core = [
        str(section.metadata.minutes)
        for section in sections(path)
        if section.metadata.path in ("core", "pick") and "exercise" not in section.metadata
    ]
    agenda = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    assert f"| {path.name[:2]} | {', '.join(core)} |" in agenda


@each_of(CORE)
def test_the_agenda_lists_the_exercises_with_their_places_and_minutes(path: Path) -> None:
    agenda = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    here = ""
    for section in sections(path):
        if number := re.match(r"## (\d+)", section.source):
            here = number[1]
        if name := section.metadata.get("exercise"):
            minutes, route = section.metadata.minutes, section.metadata.path
            row = f"| `{name}` | {path.name[:2]}, {here} | {minutes} | {route} |"
            assert row in agenda, row


# What is told of a section by its number: who tells it, a part of that, the number of the
# notebook, that of the section, and what stands there.
TOLD = [
    ("01_callbacks", "has the handler of section 6, complete", "01", 6, "len(self.found)"),
    ("02_coroutines", "What if one fails is for section 6", "02", 6, "asyncio.gather"),
    ("02_coroutines", "as section 9 does", "02", 9, "call of `asyncio.run`"),
    (
        "02_coroutines",
        "section 7 of the first notebook",
        "01",
        7,
        "An exception goes to whoever",
    ),
    ("03_trequests", "values that belong to its task (section 8)", "03", 8, "ContextVar"),
    ("03_trequests", "`tornalet.wait`: section 4 again", "03", 4, "tornalet"),
    ("03_trequests", "do not show what section 8 showed", "03", 8, "threading.local"),
    ("03_trequests", "belongs (section 7 there)", "02", 7, "belongs in another process"),
    ("order_of_turns", "section 4 say of a full box", "01", 4, "full box"),
    ("monday", "`ask_politely`, in section 5,", "02", 5, "async def ask_politely"),
    ("other_loop", "Section 5 says how many the client lets", "02", 5, "lets ten through"),
    ("fallback", "Section 6 has a deadline around `patient()`", "02", 6, "patient()"),
    ("polite", "Section 5 had one more piece", "03", 5, "setup_session()"),
    ("polite", "need underneath it, in section 4", "03", 4, "greenlet"),
    ("polite", "Section 5 has a handler that does this", "03", 5, "@tornalet"),
    ("find_lock", "Section 8 names a lock that knows tasks", "03", 8, "lock that knows tasks"),
    ("way_out", "who waits cost, in section 2", "03", 2, "Each person who waits costs one"),
    ("way_out", "price of a greenlet, in section 8", "03", 8, "everybody shares one"),
    ("way_out", "Section 7 of the second notebook ran", "02", 7, "coroutines count"),
]


def tellers() -> dict[str, str]:
    """What tells of sections: the words of each notebook, and the strings of each check."""
    told = {
        path.stem: "\n".join(
            cell.source for cell in refresh.read(path).cells if cell.cell_type == "markdown"
        )
        for path in CORE
    }
    for name, folder in folders().items():
        tree = ast.parse((folder / "check.py").read_text(encoding="utf-8"))
        told[name] = "\n".join(
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
    return told


def text_of_section(notebook: str, number: int) -> str:
    """What stands in a section with a number, to the next one; nothing if there is none."""
    [path] = [path for path in CORE if path.name.startswith(notebook)]
    inside, found = False, []
    for cell in refresh.read(path).cells:
        if cell.source.startswith("## "):
            inside = cell.source.startswith(f"## {number}. ")
        if inside:
            found.append(cell.source)
    return "\n".join(found)


def test_whoever_tells_of_a_section_by_its_number_has_the_right_one() -> None:
    told = tellers()
    for who, words, notebook, number, there in TOLD:
        assert words in told[who], f"{who} no longer says: {words}"
        assert there in text_of_section(notebook, number), f"{who}: {words}"


def test_nobody_tells_of_a_section_unseen() -> None:
    found = {
        who: len(re.findall(r"\b[Ss]ections? \d", text)) for who, text in tellers().items()
    }
    listed = {who: sum(each[0] == who for each in TOLD) for who in found}
    assert found == listed


def test_the_agenda_tells_of_sections_that_there_are() -> None:
    agenda = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    found = re.findall(r"\b(0\d), (?:more after )?section (\d+)", agenda)
    assert len(found) > 10
    for notebook, number in found:
        assert text_of_section(notebook, int(number)), f"{notebook}, section {number}"


def test_a_loop_ends_after_its_round_as_the_first_notebook_says() -> None:
    order = list[str]()

    def script() -> None:
        loop = IOLoop.current()
        loop.add_callback(loop.add_callback, order.append, "added in the round")
        loop.add_callback(loop.stop)
        loop.add_callback(order.append, "stood there")

    on_a_loop(script)
    assert order == ["stood there"]
    told = tellers()["01_callbacks"]
    assert "what stands in the queue when a round begins is called" in told
    assert "what is added meanwhile is for the next" in told


def test_nothing_is_used_before_it_is_taught() -> None:
    """Over all notebooks, in their order; an exercise needs only what was taught, too."""
    cells = [(path, cell) for path in CORE for cell in refresh.read(path).cells]
    taught_at: dict[str, int] = {}
    section_of: dict[int, int] = {}
    here = 0
    for position, (_, cell) in enumerate(cells):
        if "teaches" in cell.metadata:
            here = position
            for name in cell.metadata.teaches:
                taught_at.setdefault(name, position)
        section_of[position] = here
    for position, (path, cell) in enumerate(cells):
        if cell.cell_type == "code":
            for name in names_used(with_solution(cell.source)) & taught_at.keys():
                early = section_of[position] < taught_at[name]
                assert not early, (
                    f"{path.name}: {name} is used before it is taught:\n{cell.source}"
                )


def test_what_is_taught_is_used() -> None:
    for path in CORE:
        used = set().union(*(names_used(c.source) for c in code_cells(refresh.read(path))))
        for section in sections(path):
            assert set(section.metadata.get("teaches", [])) <= used, (
                section.source.splitlines()[0]
            )


# -- what people are told to type -------------------------------------------------------------


def defined_in(source: str) -> set[str]:
    """The names that a cell binds."""
    if source.startswith("%"):
        return set()
    found = set()
    tree = compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.ClassDef(name=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.alias(name=name, asname=other):
                found.add(other or name.partition(".")[0])
    return found


def calls_in(text: str) -> set[str]:
    """The functions, not behind a dot, that pieces of code in a text call."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return {n for span in spans for n in re.findall(r"(?<![\w.])([A-Za-z_]\w*)\(", span)}


def to_come(cells: list[NotebookNode]) -> set[str]:
    """What the code below a text binds, up to the next heading, also that of an exercise."""
    found = set()
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            break
        if cell.cell_type == "code":
            found |= words_of(with_solution(cell.source))
    return found


def methods(path: Path) -> set[str]:
    """Whatever stands behind a dot in a notebook and its solutions."""
    cells = [with_solution(cell.source) for cell in code_cells(refresh.read(path))]
    trees = [
        compile(c, "", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for c in cells
    ]
    return {n.attr for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Attribute)}


@each_of(CORE)
def test_what_a_text_calls_is_there_when_it_says_so(path: Path) -> None:
    """Bound above, or a method, or what the text goes on to define; or it says from where."""
    cells = refresh.read(path).cells
    above = set(dir(builtins))
    for position, cell in enumerate(cells):
        if cell.cell_type == "code":
            above |= defined_in(cell.source)
            continue
        modules = [
            sys.modules[m] for m in re.findall(r"`([\w.]+)`", cell.source) if m in sys.modules
        ]
        for name in calls_in(cell.source) - above:
            # The last is a method of what `setup_session` returns.
            later = to_come(cells[position + 1 :]) | methods(path) | {"close"}
            assert name in later or any(hasattr(m, name) for m in modules), (name, cell.source)


@each_of(CORE)
def test_whatever_an_exercise_says_to_call_is_there(path: Path) -> None:
    """`hint`, `check`: they stand in every verdict, and in what keeping an answer says."""
    above: set[str] = set()
    checked = 0
    for cell in code_cells(refresh.read(path)):
        above |= defined_in(cell.source)
        if not (asked := re.match(r'check\("(\w+)"\)', cell.source)):
            continue
        name = asked[1]
        verdict = Verdict(name, "wrong", hints=["one", "two"])
        said = [answers.keep(name, "..."), verdict, Verdict(name, "not done", hints=["one"])]
        words = " ".join(map(str, said))
        called = set(re.findall(rf'(\w+)\("{name}"\)', words))
        assert called == {"check", "hint"}
        assert called <= above, called - above
        checked += 1
    assert checked > 1


def words_of(source: str) -> set[str]:
    """All names in an answer or a cell, with those of its parameters."""
    try:
        tree = compile(source, "", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return set()
    nodes = [*ast.walk(tree)]
    parameters = {node.arg for node in nodes if isinstance(node, ast.arg)}
    return names_used(source) | defined_in(source) | parameters


@pytest.mark.parametrize("name", every())
def test_what_a_hint_says_to_type_is_there(name: str) -> None:
    """What a hint calls, or says in front of a dot, stands in the notebook or in an answer."""
    exercise = every()[name]
    book = refresh.read(ROOT / "notebooks" / f"{exercise.notebook}.ipynb")
    files = [p for p in folders()[name].rglob("*.py") if p.name != "check.py"]
    sources = [with_solution(cell.source) for cell in code_cells(book)]
    known = set(dir(builtins))
    for source in [*sources, *(file.read_text("utf-8") for file in files)]:
        known |= words_of(source)
    hints = [*exercise.hints, *(hint for each in exercise.mistakes for hint in each.hints)]
    for hint in hints:
        for span in re.findall(r"`([^`]+)`", hint):
            for word in re.findall(r"(?<![\w.])([A-Za-z_]\w*)(?=[.(])", span):
                assert word in known or f"{word}()" == span, f"{word} in {hint}"
