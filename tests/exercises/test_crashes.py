"""Code that ends what the check itself needs gets a verdict, in every exercise."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from classroom.catalogue import every, folders
from classroom.examining.kinds import Exercise
from classroom.examining.parent import examine
from classroom.examining.verdict import Verdict
from tests.exercises.forked import forked

EXERCISES = {name: each for name, each in every().items() if isinstance(each, Exercise)}

# To its end each of them is a right answer, but for this, in each of its functions.
LINES = {
    "cancels_all": "import asyncio\nfor task in asyncio.all_tasks(): task.cancel()",
    "exits": "raise KeyboardInterrupt",
}


def with_lines(name: str, lines: str) -> str:
    """The solution of an exercise, whose functions begin with some lines."""
    tree = ast.parse((folders()[name] / "solution.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body[:0] = ast.parse(lines).body
    return ast.unparse(tree)


@pytest.fixture(scope="module")
def verdict_on() -> Iterator[Callable[[str, str], Verdict]]:
    """Examine all of them, four at a time, in advance."""
    sources = {
        (name, key): with_lines(name, lines)
        for name in EXERCISES
        for key, lines in LINES.items()
    }
    with forked(), ThreadPoolExecutor(4) as threads:
        coming: dict[tuple[str, str], Future[Verdict]] = {
            (name, key): threads.submit(examine, EXERCISES[name], source)
            for (name, key), source in sources.items()
        }
        yield lambda name, key: coming[name, key].result()


@pytest.mark.parametrize("key", LINES)
@pytest.mark.parametrize("name", EXERCISES)
def test_it_gets_a_verdict(
    name: str, key: str, verdict_on: Callable[[str, str], Verdict]
) -> None:
    assert verdict_on(name, key).mistake == key
