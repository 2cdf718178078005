"""What a browser makes of a page: the text on it, and the code that runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.escape import xhtml_escape

from stormy_demo.batteries.counterparts.seen import seen


def test_the_text_is_what_stands_on_the_page() -> None:
    page = (
        "<title>Tab</title>\n<style>p {}</style><p>1 &lt; 2\n\n &amp; <b>3</b></p><p>four</p>"
    )
    assert seen(page) == ("1 < 2 & 3four", [])


def test_a_page_may_be_bytes() -> None:
    assert seen("<p>Zoë</p>".encode()).text == "Zoë"
    with pytest.raises(UnicodeDecodeError):
        seen(b"<p>\xff</p>")


@pytest.mark.parametrize(
    "page",
    [
        "<script>steal()</script>",
        "<SCRIPT type=module>steal()</SCRIPT >",
        "<p onmouseover=steal()>Hello</p>",
        "<img src=x OnError='steal()'>",
        '<a href="javascript:steal()">Hello</a>',
        '<a href=" java\nscript:steal()">Hello</a>',
        '<a href="&#106;avascript:steal()">Hello</a>',
        '<a href="\x01\x1f javascript:steal()">Hello</a>',
        '<a href="java\tscript:steal()">Hello</a>',
        "<script/>steal()</script>",
        '<form action="JavaScript:steal()"></form>',
    ],
)
def test_code_runs_in_many_ways(page: str) -> None:
    assert seen(page).runs == ["steal()"]


def test_code_is_told_as_it_stands_there() -> None:
    assert seen('<a href="javascript:let x = 1">Hello</a>').runs == ["let x = 1"]


def test_a_script_from_elsewhere_is_told_by_its_address() -> None:
    assert seen('<script src="//elsewhere.example/a.js"></script>').runs == [
        "//elsewhere.example/a.js"
    ]


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://elsewhere.example/?javascript:steal()">Hello</a>',
        '<p title="onmouseover=steal()">Hello</p>',
        '<p title="javascript:steal()">Hello</p>',
        '<a href="java script:steal()">Hello</a>',
        '<a href="\xa0javascript:steal()">Hello</a>',
        "<p>steal()</p>",
    ],
)
def test_what_only_looks_like_code_does_not_run(page: str) -> None:
    assert seen(page).runs == []


@given(st.text())
def test_escaped_text_is_seen_as_it_was_typed(text: str) -> None:
    wanted = " ".join(text.split())
    # HTML has its own ideas of a zero, and of what ends a line.
    if "\0" not in text:
        assert seen(f"<p>{xhtml_escape(text)}</p>") == (wanted, [])
