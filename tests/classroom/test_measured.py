"""The tables of the notebooks say what was measured, and nothing that was not."""

from __future__ import annotations

import json

import pytest

from classroom import measured
from classroom.measured import Table


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


def test_what_the_third_notebook_says_of_its_tables_is_in_them() -> None:
    def cpu(mode: str, at_once: int) -> int:
        return measured.clients([mode], latency_ms=50, at_once=at_once)[mode, "CPU µs"]

    ways = ["blocking", "200 threads", "trequests sockets", "raw simple"]
    alone = [cpu(way, at_once=1) for way in ways]
    assert max(alone) < 1.2 * min(alone), "need about as much, with one visitor at a time"

    thread, greenlet, simple, curl, aiohttp, other, third = (
        cpu(way, at_once=200)
        for way in [*ways[1:], "raw curl", "aiohttp", "trequests curl", "trequests simple"]
    )
    assert greenlet < thread, "a greenlet costs less than a thread"
    assert greenlet == pytest.approx(simple, rel=0.1), "and about what the simple client costs"
    assert max(curl, aiohttp) <= simple / 2, "a faster client costs half of that, or less"
    assert greenlet < min(other, third), "of the three engines it costs the least"
