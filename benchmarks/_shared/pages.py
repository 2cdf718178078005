"""The results for people: `results/README.md`, and a picture beside each JSON file.

    .venv/bin/python -m benchmarks._shared.pages

All of it is made from the JSON files. A benchmark that keeps its result does it by itself.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from classroom.measured import NotMeasured, Result, Table, conformance, suites
from classroom.measured.bars import stacked
from classroom.measured.figures import heading, number, ratio

from .paths import BENCHMARKS, RESULTS
from .whole import write_whole

Row = dict[str, Any]
HEAD = """\
# What was measured

Written by the benchmarks, from the JSON files beside it: `python3 workshop.py bench` measures \
all again. Each ratio is that of two measurements of one round, so that a slow moment of the \
machine is in both, and what is quoted is the median, and in brackets the lowest and the \
highest ratio of all rounds. Where two such spreads overlap, the difference says nothing.

*Measured again* says of how many ratios each of two runs has the other's median in its \
spread. Where nothing at all has changed, chance gives that to two in five of them with three \
rounds, to seven in ten with five, and to nearly nine in ten with seven: few rounds have a \
narrow spread.
"""


def written(results: Path = RESULTS) -> dict[str, str]:
    """Return what the files are to say, by their names, from the JSON files that there are.

    Args:
        results: the folder.
    """
    said: dict[str, str] = {}
    parts = [HEAD]
    for file in sorted(results.glob("*.json")):
        data = json.loads(file.read_text(encoding="utf-8"))
        parts.append(_part(file.stem, data))
        if picture := _picture(Result(data)):
            said[f"{file.stem}.svg"] = picture
    said["README.md"] = "\n".join(parts)
    return said


def write(results: Path = RESULTS) -> None:
    """Write these files, and remove pictures of results that there are no more."""
    said = written(results)
    for name, text in said.items():
        write_whole(results / name, text)
    for picture in results.glob("*.svg"):
        if picture.name not in said:
            picture.unlink()


def _picture(result: Result) -> str:
    """Return bars of one figure of each group that is shown, or nothing."""
    shown = _pictured(result)
    if not shown:
        return ""
    return stacked([result.plot(group, _figure(result, group)).svg for group in shown])


def _figure(result: Result, group: str) -> str:
    """Return what is drawn: the first figure, unless a result has a `pictured_figure`."""
    return str(result.about.get("pictured_figure", result.figures(group)[0]))


def _pictured(result: Result) -> list[str]:
    """Return which groups are shown: a result of many groups names them as `pictured`."""
    some = result.about.get("pictured", result.groups)
    return [group for group in result.groups if group in some and result.figures(group)]


def _part(name: str, data: Row) -> str:
    lines = [f"## {name}", "", _question(name), ""]
    result = Result(data)
    shown = [group for group in result.groups if result.figures(group)]
    if pictured := _pictured(result):
        figure = heading(_figure(result, pictured[0]))
        lines += [f"![Bars: {figure}; the tables below have the figures]({name}.svg)", ""]
    for group in shown:
        lines += [f"### {group}", ""] if group else []
        lines += [*_markdown(_compact(result, group)), ""]
    if name == "conformance":
        lines += [*_markdown(conformance()), "", *_markdown(suites()), ""]
    elif not shown:
        lines += [f"The figures are in [{name}.json]({name}.json).", ""]
    lines.append(f"With what: {_with_what(data['about'])}.")
    if said := data["about"].get("reproduced"):
        lines.append(f"Measured again: {said}.")
    return "\n".join(lines) + "\n"


def _compact(result: Result, group: str) -> Table:
    """Return a table with a column for each figure, and its ratio in the same cell."""
    figures, full = result.figures(group), result.table(group)
    rows = [
        [mode, *(_cell(result, group, mode, figure) for figure in figures)]
        for mode, *_ in full.rows
    ]
    note = full.note
    if len(full.columns) > len(figures) + 1:
        note += f" The ratios are to {result.baseline(group)}."
    return Table(["", *map(heading, figures)], rows, note)


def _cell(result: Result, group: str, mode: str, figure: str) -> str:
    try:
        words = number(result.median(group, mode, figure))
    except NotMeasured:
        return "-"
    try:
        low, high = result.within(group, mode, figure)
    except NotMeasured:
        return words
    if mode == result.baseline(group):
        return words
    times = ratio(result.ratio(group, mode, figure))
    return f"{words}, {times} × ({ratio(low)} to {ratio(high)})"


def _question(name: str) -> str:
    """Return the first sentence of a benchmark's docstring, which is its question."""
    module = BENCHMARKS / f"{name}.py"
    if not module.is_file():
        return ""
    told = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return " ".join(told.partition("\n\n")[0].split())


def _with_what(about: Row) -> str:
    """Return the versions, the machine and how busy it was, the rounds and the load."""
    versions = [
        f"{name} {value}"
        for name, value in about.items()
        if isinstance(value, str) and re.match(r"\d+\.\d", value)
    ]
    more = [about["machine"]] if "machine" in about else []
    if "load_average" in about:
        more.append(f"load average {about['load_average']}")
    if "rounds" in about:
        more.append(f"{about['rounds']} rounds")
    if about.get("load"):
        more.append(f"asked by {about['load']}")
    return ", ".join([*versions, *more])


def _markdown(table: Table) -> list[str]:
    rows = [table.columns, ["---", *["---:"] * (len(table.columns) - 1)], *table.rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [*lines, "", table.note] if table.note else lines


if __name__ == "__main__":
    write()
