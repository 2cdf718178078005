"""The tables of the notebooks say what was measured, and nothing that was not."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from classroom import measured
from classroom.measured import Bars, NotMeasured, Result, Table, result
from classroom.measured.bars import Bar, draw
from classroom.paths import NOTEBOOKS
from loopfilm.lettering import pixels
from loopfilm.picture import BLUE, INK
from tools import refresh


def test_a_table_is_aligned_as_text_and_is_html_too() -> None:
    table = Table(["", "requests/s"], [["threads", "9"], ["a & b", "1000"]], "A note.")
    assert repr(table) == (
        "         requests/s\nthreads           9\na & b          1000\nA note."
    )
    assert '<th scope="row">a &amp; b</th><td>1000</td>' in table._repr_html_()
    assert table["threads", "requests/s"] == 9


def test_the_conformance_of_the_engines_is_that_of_the_results() -> None:
    found = json.loads((measured.RESULTS / "conformance.json").read_text(encoding="utf-8"))
    table = measured.conformance()
    for one in found["results"]:
        if one.get("suite", "requests") == "requests":
            assert table[one["engine"], "passed"] == one["passed"]
            assert table[one["engine"], "failed"] == one["failed"]


def test_each_suite_is_a_row_of_what_passed() -> None:
    found = json.loads((measured.RESULTS / "conformance.json").read_text(encoding="utf-8"))
    table = measured.suites()
    for one in found["results"]:
        assert table[one["suite"], one["engine"]] == one["passed"]
    assert [row[0] for row in table.rows] == list(
        dict.fromkeys(r["suite"] for r in found["results"])
    )
    assert sum(row.count("-") for row in table.rows) == 4 * len(table.rows) - len(
        found["results"]
    )


def test_the_engine_by_default_fails_nothing_that_requests_passes() -> None:
    table = measured.conformance()
    assert table["sockets", "failed"] == table["stock", "failed"] == 0
    assert table["sockets", "passed"] == table["stock", "passed"]


def test_what_was_not_measured_is_not_told() -> None:
    with pytest.raises(LookupError, match="7 ms"):
        measured.clients(["blocking"], latency_ms=7, at_once=200)
    with pytest.raises(LookupError, match="by pigeon"):
        measured.rps("by pigeon", latency_ms=50, at_once=200)


def test_every_row_of_the_clients_has_its_figures() -> None:
    found = json.loads((measured.RESULTS / "clients.json").read_text(encoding="utf-8"))
    names = {"mode", "latency_ms", "concurrency", "rps", "cpu_us", "p50_ms", "p99_ms", "rss_mb"}
    assert found["results"]
    for row in found["results"]:
        assert names <= row.keys()
        assert not row["errors"]


def test_the_figures_of_the_chats_are_those_of_the_results() -> None:
    found = json.loads((measured.RESULTS / "chat.json").read_text(encoding="utf-8"))
    talking, idle = measured.chat(), measured.idle_chat()
    for one in found["results"]:
        assert talking[one["mode"], "people"] == one["people"]
        assert talking[one["mode"], "lost one"] == one["lost"]
        assert talking[one["mode"], "CPU µs"] == round(one["cpu_us"])
    for one in found["idle"]:
        assert idle[one["mode"], "bytes each"] == one["bytes"]


def test_what_the_third_notebook_says_of_its_tables_holds_for_all_rows() -> None:
    said: dict[str, Any] = {}
    for cell in refresh.read(NOTEBOOKS / "03_trequests.ipynb").cells:
        lines = [line for line in cell.source.splitlines() if re.match("(modes|ways) ", line)]
        if cell.cell_type == "code":
            exec("\n".join(lines), said)
    first, second = said["modes"], [*said["ways"].values()]
    quicker = ["raw curl", "aiohttp"]
    assert {*quicker, *second} <= {*first}

    crowd, alone = {"latency_ms": 50, "at_once": 200}, {"latency_ms": 0, "at_once": 1}
    cpu = {one: measured.clients(first, **crowd)[one, "CPU µs"] for one in first}
    rps = {one: measured.rps(one, **crowd) for one in first}
    busy = {one: rps[one] * cpu[one] / 1e6 for one in first}
    others = [one for one in first if one not in ("blocking", *quicker)]
    assert all(0.75 < busy[one] < 1.15 for one in first[1:]), "nearly all of a second"
    assert busy["blocking"] < 0.1, "in every row but the first"
    assert min(rps, key=rps.__getitem__) == max(cpu, key=cpu.__getitem__) == "blocking"
    for one in quicker:
        assert cpu[one] <= min(cpu[other] for other in others) / 2, "half, or less"
    dearest, cheapest = (which(cpu[one] for one in others) for which in (max, min))
    assert dearest < 2 * cheapest, "none costs twice as much as another"
    assert cpu["trequests sockets"] == pytest.approx(cpu["raw simple"], rel=0.15)
    assert cpu["200 threads"] > max(cpu["raw simple"], cpu["trequests sockets"])
    assert cpu["trequests sockets"] == min(cpu[one] for one in first if "trequests" in one)

    near = {one: measured.rps(one, **alone) for one in [*second, *quicker]}
    above = {one for one in near if near[one] > near["blocking"]}
    assert above == {*quicker}, "no row but those with a quicker client"


# -- any result --------------------------------------------------------------------------------


def figure(median: float, *ratios: float) -> dict[str, float]:
    """A figure, with its ratio, and the lowest and the highest, if they are given."""
    return {"median": median, **dict(zip(("ratio", "lowest", "highest"), ratios, strict=False))}


@pytest.fixture
def found() -> Result:
    """A result of which a part is refused, one left out, and one compared with nothing."""
    rows = [
        {
            "group": "hello",
            "mode": "Tornado",
            "cpu_us": figure(280, 1, 1, 1),
            "rps": figure(3571, 1, 1, 1),
        },
        {
            "group": "hello",
            "mode": "a <server>",
            "cpu_us": figure(76.5, 0.27, 0.26, 0.3),
            "rps": figure(12990, 3.66, 3.3, 3.8),
            "rss_mb": figure(40.25),
        },
        {"group": "hello", "mode": "gevent", "refused": "it was no 200."},
        {"group": "wait", "mode": "Tornado", "open_s": figure(1.5)},
    ]
    about = {
        "python": "3.11.7",
        "machine": "Linux, 2 processors",
        "rounds": 7,
        "load": "wrk 4.1.0",
        "baseline": "Tornado",
        "left_out": {"PyPy": "there is none here"},
    }
    return Result({"about": about, "results": rows})


def test_a_figure_is_had_by_its_place(found: Result) -> None:
    assert found.groups == ["hello", "wait"]
    assert found.modes("hello") == ["Tornado", "a <server>", "gevent", "PyPy"]
    assert found.figures("hello") == ["cpu_us", "rps", "rss_mb"]
    assert found.median("hello", "a <server>", "cpu_us") == 76.5
    assert found.ratio("hello", "a <server>", "rps") == 3.66
    assert found.within("hello", "a <server>", "rps") == (3.3, 3.8)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (("hello", "gevent", "cpu_us"), "gevent is refused: it was no 200"),
        (("hello", "PyPy", "cpu_us"), "PyPy is left out: there is none here"),
        (("hello", "a pigeon", "cpu_us"), "a pigeon was not measured for hello"),
        (("hello", "Tornado", "p99_ms"), "p99_ms of Tornado was not measured"),
        (("by air", "Tornado", "cpu_us"), "nothing was measured as 'by air'"),
        (("wait", "Tornado", "open_s"), "open_s of Tornado is compared with nothing"),
    ],
)
def test_what_is_not_there_says_why(
    found: Result, place: tuple[str, str, str], why: str
) -> None:
    with pytest.raises(NotMeasured, match=re.escape(why)):
        found.ratio(*place)


def test_there_is_no_result_of_another_name() -> None:
    with pytest.raises(LookupError, match="called pigeons"):
        result("pigeons")


def test_a_table_has_a_row_for_what_has_no_figures_and_says_why(found: Result) -> None:
    table = found.table("hello", figures=["cpu_us", "rss_mb"])
    assert repr(table) == (
        "            CPU µs  × Tornado    all within  memory MB\n"
        "Tornado        280       1.00             -          -\n"
        "a <server>    76.5       0.27  0.26 to 0.30       40.2\n"
        "gevent           -          -             -          -\n"
        "PyPy             -          -             -          -\n"
        "Medians of 7 rounds, Linux, 2 processors, Python 3.11.7, asked by wrk 4.1.0."
        " gevent is refused: it was no 200. PyPy is left out: there is none here."
    )
    page = table._repr_html_()
    assert '<th scope="row">a &lt;server&gt;</th><td>76.5</td>' in page
    assert '<th scope="col">× Tornado</th>' in page


def test_what_waits_of_wrk_are_is_said_where_they_are_shown(found: Result) -> None:
    corrected = "To the longest waits wrk adds those"
    found.rows[1]["p99_ms"] = figure(12.5)
    one = ["a <server>"]
    assert corrected in found.table("hello", ["cpu_us", "p99_ms"], one).note
    words, _ = drawn(found.plot("hello", "p99_ms", one).svg)
    assert any("wrk adds those" in line for line in words)
    assert corrected not in found.table("hello", ["cpu_us"], one).note
    found.about["load"] = "a client in Python"
    assert corrected not in found.table("hello", ["p99_ms"], one).note
    del found.about["load"]
    assert found.table("hello", ["p99_ms"], one).note.endswith("Python 3.11.7.")


def test_headings_say_of_which_figure_a_ratio_is(found: Result) -> None:
    table = found.table("hello", modes=["a <server>", "Tornado"])
    assert table.columns == [
        *("", "CPU µs", "CPU µs × Tornado", "CPU µs all within"),
        *("requests/s", "requests/s × Tornado", "requests/s all within", "memory MB"),
    ]
    assert [row[0] for row in table.rows] == ["a <server>", "Tornado"]
    assert table["a <server>", "requests/s"] == 12990
    assert found.table("wait").columns == ["", "open s"]


def test_a_plot_says_in_words_what_it_shows(found: Result) -> None:
    plot = found.plot("hello", "cpu_us")
    assert repr(plot) == (
        "CPU µs: hello. Tornado 280 µs, baseline; a <server> 76.5 µs, 0.27 × (0.26 to 0.30);"
        " gevent is refused: it was no 200; PyPy is left out: there is none here."
    )
    page = plot._repr_html_()
    assert 'alt="CPU µs: hello. Tornado 280 µs, baseline; a &lt;server&gt; 76.5 µs' in page
    assert found.plot("hello", title="Who is first").alt.startswith("Who is first. Tornado")


def drawn(svg: str) -> tuple[set[str], list[tuple[float, float, str]]]:
    """The words of a picture, and of each shape its left edge, its width and its colour."""
    picture = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    words = {str(each.text) for each in picture.iter(f"{space}text")}
    shapes = [
        (
            float(each.get("x", 0)),
            float(each.get("width", "0").rstrip("%")),
            each.get("fill", ""),
        )
        for each in picture.iter(f"{space}rect")
    ]
    return words, shapes


def test_bars_are_as_long_as_their_figures_with_a_line_for_the_spread(found: Result) -> None:
    words, shapes = drawn(found.plot("hello", "cpu_us").svg)
    assert {"Tornado", "280 µs, baseline", "a <server>", "76.5 µs, 0.27 ×"} <= words
    assert {
        "gevent",
        "refused: it was no 200.",
        "PyPy",
        "left out: there is none here",
    } <= words
    (left, baseline), (start, bar) = [shape[:2] for shape in shapes if shape[2] == BLUE]
    assert left == start
    assert bar / baseline == pytest.approx(76.5 / 280, abs=0.01)
    # The line from 0.26 to 0.30 of the baseline, and not of the bar.
    (line,) = [shape for shape in shapes if shape[2] == INK and shape[1] > 2]
    assert (line[0] - left) / baseline == pytest.approx(76.5 / 280 * 0.26 / 0.27, abs=0.01)
    assert (line[0] + line[1] - left) / baseline == pytest.approx(0.3, abs=0.02)


def test_a_picture_is_light_or_dark_as_its_reader_is(found: Result) -> None:
    plot = found.plot("hello")
    assert "prefers-color-scheme:dark" in plot.svg
    # JupyterLab has a light of its own, which turns the colours of the light picture.
    assert "data-jp-theme-light=false" in plot._repr_html_()


def test_a_long_name_and_a_long_reason_stay_in_the_picture() -> None:
    bars = [Bar("a name " * 20, 1.0, words="1 ms"), Bar("b", words="since it is so " * 30)]
    words, _ = drawn(draw("A title " * 60, bars))
    assert not [each for each in words if pixels(each) > 700]
    assert drawn(draw("nothing", []))[1]
    assert drawn(draw("none", [Bar("a", 0.0, words="0 ms")], baseline="a"))[1]


def test_bars_of_what_was_just_measured_have_stable_words_only() -> None:
    bars = Bars(
        "Just now",
        {"one": [3.0, 1.0, 2.0], "other": 40.0},
        unit="ms",
        alt="The other takes longer.",
        baseline="one",
    )
    assert repr(bars) == "The other takes longer."
    page = bars._repr_html_()
    assert 'alt="The other takes longer."' in page
    assert not re.search(r"\d ms", re.sub(r"base64,[\w+/=]+", "", page))
    words, shapes = drawn(bars.svg)
    assert {"2 ms, baseline", "40 ms"} <= words
    assert len([shape for shape in shapes if shape[2] == INK and shape[1] > 2]) == 1


def test_results_of_before_are_read_in_the_same_way() -> None:
    clients = result("clients")
    group = "50 ms away, 200 at once"
    kept = json.loads((measured.RESULTS / "clients.json").read_text(encoding="utf-8"))
    (row,) = [
        one
        for one in kept["results"]
        if (one["mode"], one["latency_ms"], one["concurrency"]) == ("raw curl", 50, 200)
        and "kind" not in one
    ]
    assert clients.baseline(group) == "raw simple"
    assert clients.ratio(group, "raw curl", "cpu_us") == row["cpu_ratio"]
    assert clients.within(group, "raw curl", "rps") == (
        row["rps_ratio_lowest"],
        row["rps_ratio_highest"],
    )
    talk, listen = result("chat").groups
    assert result("chat").median(talk, "our chat", "cpu_us") > 0
    assert result("chat").median(listen, "our chat", "bytes") > 0


@pytest.mark.parametrize("name", ["conformance", "deck"])
def test_a_result_without_ratios_of_rounds_has_no_rows(name: str) -> None:
    assert result(name).groups == []
