"""What a film shows: all that it says, in colours that can be told apart, and in few bytes."""

from __future__ import annotations

import asyncio
import base64
import html
import re
import time
from xml.etree import ElementTree

import pytest
from tornado.web import Application, RequestHandler

from loopfilm import Film, film, lane, picture, watch
from tests.loopfilm.servers import (
    ALL_THREE,
    LONG,
    Blocking,
    drawn,
    meet,
    together,
    turns_of_the_loop,
)


def test_a_notebook_gets_a_picture_and_the_text_as_its_alternative() -> None:
    f = watch(together(3), ["/?user=%3Cb%3E%22ada", "/?user=grace%26", "/?user=%00%1b"])
    shown = f._repr_html_()
    source, alt = re.fullmatch(
        '<img src="data:image/svg\\+xml;base64,([^"]*)" alt="([^"]*)">', shown
    ).groups()  # type: ignore[union-attr]
    assert html.unescape(alt) == str(f) == repr(f)
    assert '<b>"ada, grace& and' in str(f)
    picture_shown = ElementTree.fromstring(base64.b64decode(source))
    assert picture_shown.get("width") == "700"
    assert '<b>"ada' in drawn(f)


def test_the_paper_is_opaque() -> None:
    first = ElementTree.fromstring(watch(together(1), "/").svg())[0]
    assert first.get("fill") == picture.PAPER
    assert first.get("width") == first.get("height") == "100%"
    assert "opacity" not in first.attrib


def test_what_is_red_is_also_said() -> None:
    f = watch(Application([("/", Blocking)]), ALL_THREE)
    words = drawn(f)
    assert sum(text.startswith("held 0.") for text in words) == 3
    assert any(text.startswith("none for ") for text in words)
    # Blue is left to the legend: nobody seems to go on after the answer.
    assert f.svg().count(picture.BLUE) == 1


def test_nobody_who_held_the_loop_is_left_out_of_the_picture() -> None:
    class TheLastBlocks(RequestHandler):
        async def get(self) -> None:
            await meet(self.settings)
            if self.get_argument("user") == "u19":
                time.sleep(1.5)

    # Far above what a step takes on a busy machine: who else holds the loop is drawn as well.
    visits = [f"/?user=u{n}" for n in range(20)]
    words = drawn(watch(together(20, TheLastBlocks), visits, red=1.4))
    assert [text for text in words if re.fullmatch(r"u\d+", text)] == [
        *[f"u{n}" for n in range(11)],
        "u19",
    ]
    assert "and 8 more" in words


def test_other_work_that_holds_the_loop_is_drawn_but_is_no_lane() -> None:
    async def experiment() -> Film:
        with film() as f:
            asyncio.get_running_loop().call_soon(time.sleep, LONG)
            with lane("ada"):
                ada = asyncio.create_task(turns_of_the_loop())
            await ada
        return f

    f = asyncio.run(experiment())
    assert str(f) == "ada: alone. Nobody held the loop."
    assert "other work" in drawn(f)
    assert "ada: alone. Only other work held the loop." in drawn(f)


def test_thousands_of_steps_make_a_small_picture() -> None:
    async def experiment() -> Film:
        with film() as f, lane("busy"):
            await asyncio.create_task(turns_of_the_loop(5000))
        return f

    f = asyncio.run(experiment())
    assert len(f.steps) >= 5000
    assert len(f.svg()) < 20_000


def test_an_hour_of_heartbeats_makes_a_small_picture() -> None:
    beats = [beat / 40 for beat in range(3600 * 40)]
    assert len(picture.draw([], beats, 3600, red=0.25, title="")) < 20_000


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("behind", [picture.PAPER, picture.PINK])
def test_the_colours_can_be_told_apart(behind: str) -> None:
    for text in (picture.INK, picture.GREY, picture.GREEN, picture.RED):
        assert contrast(text, behind) >= 4.5
    assert contrast(picture.BLUE, behind) >= 3
    assert contrast("#ffffff", picture.RED) >= 4.5
