"""What else somebody meets who gives the talk, or follows it on a screen of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from .conftest import Opener

NUMBER = "document.querySelector('.slide-number').innerText.replace(/\\s+/g, ' ').trim()"

RELOADS = ({"key": "F5"}, {"key": "r", "ctrlKey": True}, {"key": "r", "metaKey": True})


@pytest.fixture
def open_deck(opened: Opener, deck: Path) -> Opener:
    def open_it(after: str = "", **options: Any) -> Page:
        page = opened(**options)
        page.goto(deck.as_uri() + after)
        page.wait_for_function("Reveal.isReady()")
        return page

    return open_it


@pytest.mark.parametrize("view", ["", "?receiver"], ids=["in the room", "beside the notes"])
def test_g_goes_to_the_slide_that_has_this_number(open_deck: Any, view: str) -> None:
    page = open_deck(view)
    page.keyboard.press("g")
    page.keyboard.type("29")
    page.keyboard.press("Enter")
    page.wait_for_function(f"{NUMBER}.startsWith('29 / ')")
    assert page.locator(".jump-to-slide").count() == 0


def test_slides_behind_the_end_have_numbers_of_their_own(open_deck: Any) -> None:
    page = open_deck("#/routes")
    shown = "getComputedStyle(document.querySelector('.slide-number'), '::before').content"
    assert page.evaluate(shown) == '"A2"' and page.evaluate(NUMBER) == ""
    page.evaluate("Reveal.slide(0)")
    assert page.evaluate(shown) in ("none", '""')
    assert page.evaluate(NUMBER).startswith("1 / ")


def test_no_key_takes_the_speakers_view_away(open_deck: Any) -> None:
    """It has no address: loaded again, it would be empty."""
    page = open_deck()
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    speaker.wait_for_function("document.querySelectorAll('iframe').length === 2")
    beside = speaker.frames[1]
    beside.wait_for_function("window.Reveal?.isReady()")
    goes_on = """keys => document.body.dispatchEvent(
        new KeyboardEvent('keydown', {...keys, bubbles: true, cancelable: true}))"""
    for frame in (speaker.main_frame, beside):
        for keys in (
            {"key": "F5"},
            {"key": "r", "ctrlKey": True},
            {"key": "r", "metaKey": True},
        ):
            assert not frame.evaluate(goes_on, keys), (frame.url, keys)
        assert frame.evaluate(goes_on, {"key": "F6"})
    # The room's own window has an address.
    assert page.evaluate(goes_on, {"key": "F5"})


def test_the_icon_of_the_tab_is_in_the_file_and_is_a_picture(open_deck: Any) -> None:
    page = open_deck()
    address = page.locator("link[rel=icon]").get_attribute("href")
    assert address.startswith("data:image/")
    width = """async address => {
        const picture = Object.assign(new Image(), {src: address});
        await picture.decode();
        return picture.naturalWidth;
    }"""
    assert page.evaluate(width, address) > 0


def test_a_finger_turns_the_slide(open_deck: Any) -> None:
    page = open_deck(viewport={"width": 1024, "height": 768}, has_touch=True)
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        at = [{"x": x, "y": y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    for across, slide in (((800, 300), 1), ((300, 800), 0)):
        touch("touchStart", (across[0], 400))
        touch("touchMove", (across[1], 400))
        touch("touchEnd")
        page.wait_for_function(f"Reveal.getIndices().h === {slide}")


def test_with_the_colours_of_a_machine_nothing_is_in_the_colour_of_its_ground(
    open_deck: Any,
) -> None:
    page = open_deck(forced_colors="active", color_scheme="dark")
    grounds = """() => {
        const ground = (one, part) => getComputedStyle(document.querySelector(one), part)
            .backgroundColor;
        return [ground('.reveal-viewport'), ground('.lifeline', '::before'),
            ground('.controls-arrow', '::before'), ground('.controls-arrow', '::after'),
            ground('.highlight .hll')];
    }"""
    paper, *drawn = page.evaluate(grounds)
    assert paper not in drawn
    # The ground alone would not tell one block of code from the next.
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.highlight pre')).outlineStyle")
        == "solid"
    )
