"""What a film shows: all that it says, in colours that can be told apart, and in few bytes."""

from __future__ import annotations

import asyncio
import base64
import html
import re
from xml.etree import ElementTree

import pytest
from tornado.web import Application, RequestHandler

from loopfilm import Film, film, lane, picture, visited
from loopfilm.lanes import Lane
from loopfilm.picture import Row
from tests.loopfilm.servers import (
    ALL_THREE,
    HANGS,
    Blocking,
    clock,
    drawn,
    recorded,
    request,
    together,
    turns_of_the_loop,
    watch,
    words_of,
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


@pytest.mark.usefixtures("measured_by_hand")
def test_what_is_red_is_also_said() -> None:
    f = watch(Application([("/", Blocking)]), ALL_THREE)
    words = drawn(f)
    assert words.count("held 0.3 s") == 3
    assert any(text.startswith("none for ") for text in words)
    # Blue is left to the legend: nobody seems to go on after the answer.
    assert f.svg().count(picture.BLUE) == 1


def test_nobody_who_held_the_loop_is_left_out_of_the_picture() -> None:
    rows = [Row(f"u{n}", [(0, 1 if n == 19 else 0.1)]) for n in range(20)]
    words = words_of(picture.draw(rows, [], 1, red=0.5, title=""))
    assert [text for text in words if re.fullmatch(r"u\d+", text)] == [
        *[f"u{n}" for n in range(11)],
        "u19",
    ]
    assert "and 8 more" in words


@pytest.mark.usefixtures("measured_by_hand")
def test_other_work_that_holds_the_loop_is_drawn_but_is_no_lane() -> None:
    async def experiment() -> Film:
        with film() as f:
            asyncio.get_running_loop().call_soon(clock.block)
            with lane("ada"):
                ada = asyncio.create_task(turns_of_the_loop())
            await ada
        return f

    f = asyncio.run(experiment())
    assert str(f) == "ada: alone. Nobody held the loop."
    words = drawn(f)
    assert words.count("other work") == words.count("held 0.3 s") == 1
    assert "ada: alone. Only other work held the loop." in words


@pytest.mark.usefixtures("measured_by_hand")
def test_work_that_holds_nothing_is_not_drawn() -> None:
    words = drawn(watch(together(3), ALL_THREE))
    assert "other work" not in words
    assert "ada, grace and alan: 3 at once. Nobody held the loop." in words


# Where things are: the picture of a film of ten seconds


class Picture:
    """A picture, from left to right in seconds."""

    def __init__(self, svg: str) -> None:
        self.root = ElementTree.fromstring(svg)
        [self.film] = [part for part in self.root if part.get("class") == "film"]
        self.start = float(self.film.get("data-start", ""))
        self.seconds = float(self.film.get("data-seconds", ""))
        self.scale = self.seconds / (float(self.film.get("data-end", "")) - self.start)

    def at(self, x: str | None) -> float:
        assert x
        return round((float(x) - self.start) * self.scale, 1)

    def rectangles(self, colour: str) -> list[tuple[float, float]]:
        """From when to when something of that colour is drawn."""
        return [
            (
                self.at(r.get("x")),
                self.at(str(float(r.get("x", "")) + float(r.get("width", "")))),
            )
            for r in self.film.findall(".//{*}rect")
            if r.get("fill") == colour
        ]

    def blue(self) -> list[tuple[float, float]]:
        shapes = [
            re.findall(r"M([\d.]+) [\d.]+h([\d.]+)", path.get("d", ""))
            for path in self.film.findall(".//{*}path")
            if path.get("fill") == picture.BLUE
        ]
        return [
            (self.at(x), self.at(str(float(x) + float(width))))
            for shape in shapes
            for x, width in shape
        ]

    def ticks(self) -> list[float]:
        [shape] = [
            path.get("d", "")
            for path in self.film.findall(".//{*}path")
            if path.get("stroke") == picture.GREEN
        ]
        return [self.at(x) for x in re.findall(r"M([\d.]+)", shape)]


def seen_of(f: Film) -> Picture:
    return Picture(f.svg())


def test_a_wait_ends_when_the_handler_finishes_the_answer() -> None:
    ada = request("ada", finished=4)
    assert seen_of(recorded((ada, 1, 2), (ada, 3, 5))).rectangles(picture.GREY) == [(1, 4)]


def test_a_wait_that_has_no_end_lasts_as_long_as_the_film() -> None:
    assert seen_of(recorded((request("ada"), 1, 2))).rectangles(picture.GREY) == [(1, 10)]
    late = recorded((request("ada", finished=12), 1, 2))
    assert seen_of(late).rectangles(picture.GREY) == [(1, 10)]


def test_nobody_waits_for_a_task_that_has_ended() -> None:
    assert seen_of(recorded((Lane("tick"), 1, 2), (Lane("tock"), 3, 4))).rectangles(
        picture.GREY
    ) == [(1, 2), (3, 4)]


@pytest.mark.usefixtures("measured_by_hand")
def test_a_visitor_waits_from_the_question_to_the_answer() -> None:
    f = recorded((None, 0, 1))
    clock.now = 2
    ada, _ = f.asked("ada"), f.asked("grace")
    clock.now = 7
    f.answered(ada)
    assert seen_of(f).rectangles(picture.GREY) == [(2, 7), (2, 10)]


@pytest.mark.usefixtures("measured_by_hand")
async def test_who_took_a_connection_over_is_waited_for_until_the_answer() -> None:
    class TakesOver(RequestHandler):
        async def get(self) -> None:
            stream = self.detach()
            await stream.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def stay_longer(f: Film) -> None:
        for _ in range(1000):
            clock.block(1)
            await asyncio.sleep(0.001)
            shown = seen_of(f)
            if shown.rectangles(picture.GREY)[0][1] < shown.seconds - 0.5:
                return
        raise AssertionError("still waiting")

    app = Application([("/", TakesOver)])
    f = await visited(app, ["/"], patience=HANGS, script=stay_longer)
    assert [answer.status for answer in f.answers] == [204]


@pytest.mark.usefixtures("measured_by_hand")
def test_a_visitor_waits_before_the_handler_begins() -> None:
    f = recorded((request("ada", finished=5), 4, 5))
    clock.now = 2
    f.asked("ada")
    assert seen_of(f).rectangles(picture.GREY) == [(2, 5)]


@pytest.mark.usefixtures("measured_by_hand")
def test_a_film_that_is_running_is_drawn_up_to_now() -> None:
    f = recorded((request("ada"), 1, 2), ended=None)
    clock.now = 4
    assert seen_of(f).seconds == 4
    assert seen_of(f).rectangles(picture.GREY) == [(1, 4)]


def test_three_brief_steps_after_the_answer_are_left_out() -> None:
    ada = request("ada", finished=2)
    brief = [(ada, at, at + 0.0001) for at in (4, 5, 6, 7)]
    shown = seen_of(recorded((ada, 1, 1.2), (ada, 3, 3.2), *brief)).blue()
    assert [round(start) for start, _ in shown] == [1, 3, 7]


def test_a_step_is_blue_and_a_long_one_is_red_across_all_rows() -> None:
    ada, grace = request("ada", finished=9), request("grace", finished=9)
    shown = seen_of(recorded((ada, 1, 1.2), (grace, 2, 4), (ada, 5, 5.2)))
    assert shown.blue() == [(1, 1.2), (5, 5.2)]
    assert shown.rectangles(picture.RED) == shown.rectangles(picture.PINK) == [(2, 4)]


def test_a_step_that_is_too_brief_to_be_seen_is_seen() -> None:
    svg = picture.draw([Row("ada", [(1, 1.000001)])], [], 10, red=0.5, title="")
    assert f"h{picture.THINNEST:.1f}v" in svg


def test_steps_that_nobody_could_tell_apart_are_one() -> None:
    ada = request("ada", finished=9)
    steps = [(ada, 1 + n / 1000, 1 + n / 1000 + 0.0001) for n in range(1000)]
    assert seen_of(recorded(*steps)).blue() == [(1, 2)]


def test_heartbeats_are_drawn_but_never_so_near_that_they_hide_a_gap() -> None:
    near = [beat / 1000 for beat in range(2000)]
    shown = Picture(picture.draw([], [*near, 8.0], 10, red=0.5, title="")).ticks()
    assert shown[0] == 0
    assert shown[-1] == 8
    assert 10 < len(shown) < 60


def test_the_heartbeat_of_a_film_is_drawn() -> None:
    f = recorded()
    f.record.beats += [1, 2, 7]
    assert seen_of(f).ticks() == [1, 2, 7]


def test_a_gap_of_the_heartbeat_is_told_where_there_is_room() -> None:
    def told(beats: list[float], length: float = 10) -> list[str]:
        words = words_of(picture.draw([], beats, length, red=0.5, title=""))
        return [text for text in words if text.startswith("none for")]

    assert told([4.0, 4.4, 10]) == ["none for 4.0 s", "none for 5.6 s"]
    assert told([float(n) for n in range(11)]) == []
    assert told([0.1, 0.2, 0.3], length=0.4) == []


@pytest.mark.parametrize(
    ("bar", "anchor", "side"),
    [((2, 8), "middle", 0), ((2, 2.6), None, 1), ((9.5, 10), "end", -1)],
)
def test_how_long_it_was_held_is_written_where_there_is_room(
    bar: tuple[float, float], anchor: str | None, side: int
) -> None:
    shown = Picture(picture.draw([Row("ada", [bar])], [], 10, red=0.4, title=""))
    [told] = [text for text in shown.film.findall(".//{*}text") if "held" in (text.text or "")]
    assert told.text == f"held {bar[1] - bar[0]:.1f} s"
    assert told.get("text-anchor") == anchor
    at = shown.at(told.get("x"))
    assert (at > bar[1]) - (at < bar[0]) == side


@pytest.mark.parametrize(
    ("length", "times"),
    [
        (0.05, ["0", "0.01 s", "0.02 s", "0.03 s", "0.04 s", "0.05 s"]),
        (0.9, ["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s"]),
        (10, ["0", "2 s", "4 s", "6 s", "8 s", "10 s"]),
        (30, ["0", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s"]),
        (0, ["0", "0.0002 s", "0.0004 s", "0.0006 s", "0.0008 s", "0.001 s"]),
    ],
)
def test_the_times_below_are_round(length: float, times: list[str]) -> None:
    words = words_of(picture.draw([], [], length, red=0.5, title=""))
    assert [text for text in words if re.fullmatch(r"0|[\d.]+ s", text)] == times


def test_a_name_that_is_too_long_is_shortened() -> None:
    words = words_of(picture.draw([Row("a" * 22), Row("b" * 23)], [], 1, red=1, title=""))
    assert "a" * 22 in words
    assert "b" * 21 + "\N{HORIZONTAL ELLIPSIS}" in words


def test_a_title_has_two_lines_at_most_and_none_is_no_fault() -> None:
    def heading(title: str) -> list[str]:
        root = ElementTree.fromstring(picture.draw([], [], 1, red=1, title=title))
        [part] = [part for part in root if part.get("class") == "heading"]
        return [t.text or "" for t in part.findall(".//{*}text") if t.get("font-weight")]

    assert heading("") == [""]
    lines = heading("word " * 50)
    assert len(lines) == 2
    assert lines[1].endswith("\N{HORIZONTAL ELLIPSIS}")


def test_what_xml_may_not_hold_is_replaced() -> None:
    svg = picture.draw([Row("<\0>")], [], 1, red=1, title="\x1b&")
    assert "<\N{REPLACEMENT CHARACTER}>" in words_of(svg)
    label = ElementTree.fromstring(svg).get("aria-label")
    assert label == "\N{REPLACEMENT CHARACTER}&"


# How large it is


def test_thousands_of_steps_make_a_small_picture() -> None:
    async def experiment() -> Film:
        with film() as f, lane("busy"):
            await asyncio.create_task(turns_of_the_loop(5000))
        return f

    f = asyncio.run(experiment())
    assert len(f.steps) >= 5000
    assert len(f.svg()) < 20_000


def test_ten_minutes_of_heartbeats_make_a_small_picture() -> None:
    beats = [beat / 40 for beat in range(600 * 40)]
    assert len(picture.draw([], beats, 600, red=0.25, title="")) < 20_000


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
