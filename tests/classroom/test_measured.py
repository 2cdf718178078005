"""The tables of the notebooks say what was measured, and nothing that was not."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from classroom import measured
from classroom.measured import Table
from classroom.paths import NOTEBOOKS
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
