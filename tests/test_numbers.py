"""No measured number is typed: what people read has figures where they are rendered only.

A figure in a sentence stays as it is when what it tells of has changed. So prose says what a
measurement means, and the figure itself comes from `benchmarks/results/`, in an output.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from benchmarks._shared.paths import RESULTS
from tests.paths import ROOT
from tools import refresh

NUMBER = r"\d(?:[\d.,\N{NARROW NO-BREAK SPACE}]*\d)?"
SPACE = r"(?:\s|&nbsp;|~|-)?"
ANSWERS = r"(?:requests?|answers|calls|fetches|messages|deliveries|connections|hits)"
FASTER = r"(?:as|faster|slower|quicker|more|less|cheaper|dearer|better|longer|shorter)"
TYPED = {
    # The size of a screen has a number on both sides.
    "a ratio": rf"{NUMBER}{SPACE}(?:×|&times;)(?!\d)|(?<!\d)×\s?\d",
    "a ratio in letters": r"(?<![\w.])\d+(?:\.\d+)?[xX](?![\w×])",
    "times": rf"(?<![\w.]){NUMBER}{SPACE}times{SPACE}{FASTER}\b",
    "microseconds": rf"{NUMBER}{SPACE}(?:µs|μs|us\b|microseconds?)",
    "answers in a second": rf"{NUMBER}{SPACE}{ANSWERS}\s?(?:/\s?|an?\s|per\s|each\s|every\s)s",
    "answers in a second, in letters": rf"{NUMBER}{SPACE}(?:rps|RPS)\b",
    "memory": rf"{NUMBER}{SPACE}(?:bytes|B|[kK]i?B|Mi?B)\s(?:each\b|per\b|an?\s"
    r"(?:connection|client|visitor|request|socket|person|greenlet|thread))",
}


def reasons(text: str) -> list[str]:
    """What is typed in a text, with what it is."""
    # A fence shows what a program says, and code is no prose.
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [
        f"{what}: {found[0]}"
        for what, pattern in TYPED.items()
        for found in re.finditer(pattern, prose)
    ]


def papers() -> Iterator[tuple[str, str]]:
    paths = [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("slides/*.md")]
    for path in [*paths, *ROOT.glob("notebooks/*.md")]:
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def cells() -> Iterator[tuple[str, str]]:
    """The text of all notebooks, and what their code says in quotes; no outputs."""
    for path in [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("slides/*.ipynb")]:
        for number, cell in enumerate(refresh.read(path).cells):
            if cell.cell_type == "markdown":
                yield f"{path.name}, cell {number}", cell.source
            elif cell.cell_type == "code":
                source = re.sub(r"^\s*[%!].*", "", cell.source, flags=re.MULTILINE)
                for words in quoted(source):
                    yield f"{path.name}, cell {number}", words


def quoted(source: str) -> Iterator[str]:
    """The strings of some code; a cell that is no Python has none."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def docstrings() -> Iterator[tuple[str, str]]:
    rooms = ("stormy_demo", "classroom", "exercises", "trequests", "tornalet", "loopfilm")
    for room in (*rooms, "benchmarks"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(
                    node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
                ) and (told := ast.get_docstring(node)):
                    yield path.relative_to(ROOT).as_posix(), told


@pytest.mark.parametrize("texts", [papers, cells, docstrings])
def test_no_measured_number_is_typed(texts: object) -> None:
    assert callable(texts)
    found = [(place, reason) for place, text in texts() for reason in reasons(text)]
    assert not found


def test_the_page_of_the_results_has_such_numbers() -> None:
    """So the patterns know them where they are."""
    page = (RESULTS / "README.md").read_text(encoding="utf-8")
    assert "µs" in page
    assert len([*cells()]) > 500
    assert len([*docstrings()]) > 500


@pytest.mark.parametrize(
    "words",
    [
        "It is 3.8× as fast.",
        "It is 3.8 × as fast.",
        "It takes × 0.4 of it.",
        "2x the memory",
        "about 1.5x.",
        "3 times faster",
        "1.5 times as much",
        "It costs 40 µs.",
        "It costs 40us.",
        "It costs 1,200 microseconds.",
        "1200 requests a second",
        "1,200 requests/s",
        "33 answers per second",
        "900 rps",
        "14 KB each",
        "13369 bytes a connection",
        "14 kB per connection",
    ],
)
def test_a_typed_number_is_refused(words: str) -> None:
    assert reasons(words)


@pytest.mark.parametrize(
    "words",
    [
        "several times faster",
        "twice as many",
        "at 1280×720 and 1920×1080",
        "The backend takes 50 ms, and 200 visitors come at once.",
        "three times, and 10 times in all",
        "a body of more than 100 MB",
        "pieces of 64 KB",
        "id=0x7f",
        "```\n40 µs\n```",
        "the column × raw simple, in µs",
        "Ask again within 2 seconds.",
        "Status 200, answers 3.",
    ],
)
def test_a_number_that_is_fixed_is_not(words: str) -> None:
    assert not reasons(words)
