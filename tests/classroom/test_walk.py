"""Who asked whom, drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from classroom.walk import Walk
from loopfilm.picture import PAPER

SVG = "{http://www.w3.org/2000/svg}"
LINES = ["browser → app: GET /sign-in", "app → provider: GET /keys", "app → browser: GET /"]


def texts(walk: Walk) -> dict[str, float]:
    """What stands in the picture, and how far from its left."""
    svg = ElementTree.fromstring(walk.svg())
    return {each.text or "": float(each.attrib["x"]) for each in svg.iter(f"{SVG}text")}


def arrows(walk: Walk) -> list[tuple[float, float]]:
    """Where each begins and ends, from the left."""
    svg = ElementTree.fromstring(walk.svg())
    ends = [each.attrib["d"] for each in svg.iter(f"{SVG}path")]
    found = [re.match(r"M([\d.]+) ", each) for each in ends]
    begins = [float(each.attrib["cx"]) for each in svg.iter(f"{SVG}circle")]
    return list(zip(begins, [float(each[1]) for each in found if each], strict=True))


def test_it_has_a_column_for_each_in_the_order_of_their_coming() -> None:
    found = texts(Walk(LINES))
    assert list(found) == ["browser", "app", "provider", "GET /sign-in", "GET /keys", "GET /"]
    assert found["browser"] < found["app"] < found["provider"]


def test_an_arrow_leads_from_who_asks_to_who_is_asked() -> None:
    walk = Walk(LINES)
    at = texts(walk)
    browser, app, provider = at["browser"], at["app"], at["provider"]
    assert arrows(walk) == [(browser, app), (app, provider), (app, browser)]


def test_it_says_in_words_what_is_to_be_seen() -> None:
    walk = Walk()
    assert walk._repr_html_() is None
    walk.append(LINES[0])
    walk.append('ada → "<b>": & more')
    assert repr(walk) == f'{LINES[0]}\nada → "<b>": & more'
    shown = walk._repr_html_() or ""
    assert f'alt="{LINES[0]}; ada → &quot;&lt;b&gt;&quot;: &amp; more"' in shown


def test_what_has_another_form_is_written_and_has_no_arrow() -> None:
    walk = Walk(["nobody comes", "ada → ada: thinks", "\x00 → \x1f: \x07"])
    assert "nobody comes" in texts(walk)
    svg = ElementTree.fromstring(walk.svg())
    assert len([*svg.iter(f"{SVG}circle")]) == 2
    assert len([*svg.iter(f"{SVG}path")]) == 1


def test_whatever_is_too_long_is_cut_and_the_paper_has_room_for_all() -> None:
    walk = Walk([f"{'w' * 100} → {'x' * 100}: {'GET /' * 100}"] * 50)
    svg = ElementTree.fromstring(walk.svg())
    [paper] = [each for each in svg.iter(f"{SVG}rect") if each.attrib["fill"] == PAPER]
    lowest = max(float(each.attrib["y"]) for each in svg.iter(f"{SVG}text"))
    assert lowest < float(paper.attrib["height"]) == float(svg.attrib["height"])
    assert all(len(text) < 60 for text in texts(walk))
