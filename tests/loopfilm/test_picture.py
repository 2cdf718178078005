"""What a film shows: all that it says, in colours that can be told apart, and in few bytes."""

from __future__ import annotations

import asyncio
import base64
import html
import linecache
import re
from xml.etree import ElementTree

import pytest
from tornado.web import Application, RequestHandler

from loopfilm import Film, compared, film, lane, picture, visited
from loopfilm.lanes import Lane
from loopfilm.picture import Row
from loopfilm.record import Long, Wait
from loopfilm.where import Place, Point
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
    assert "<svg" not in shown and "<script" not in shown
    source, alt = re.search(  # type: ignore[union-attr]
        '<img src="data:image/svg\\+xml;base64,([^"]*)" alt="([^"]*)"',
        shown,
    ).groups()
    assert html.unescape(alt) == str(f) == repr(f)
    assert '<b>"ada, grace& and' in str(f)
    picture_shown = ElementTree.fromstring(base64.b64decode(source))
    assert picture_shown.get("width") == "700"
    assert '<b>"ada' in drawn(f)


def test_the_paper_is_opaque() -> None:
    paper = ElementTree.fromstring(watch(together(1), "/").svg()).find("{*}rect")
    assert paper is not None and paper.get("fill") == picture.PAPER
    assert paper.get("width") == paper.get("height") == "100%"
    assert "opacity" not in paper.attrib


def test_a_file_follows_the_system_and_what_a_notebook_shows_follows_jupyterlab() -> None:
    svg = picture.draw([Row("ada", [(0, 1)])], [], 1, red=0.5, title="")
    [style] = ElementTree.fromstring(svg).findall("{*}style")
    assert style.text is not None and "prefers-color-scheme" in style.text
    shown = picture.as_image(svg, "")
    data = re.search(r"base64,([^\"]*)", shown)[1]  # type: ignore[index]
    assert ElementTree.fromstring(base64.b64decode(data)).find("{*}style") is None
    assert "[data-jp-theme-light=false] .loopfilm img{filter:invert(1)" in shown
    # In a narrow window it is scrolled, and not smaller than can be read.
    assert '<div class="loopfilm" style="overflow-x: auto">' in shown
    assert f'style="min-width: {picture.READABLE}px; max-width: 100%; height: auto"' in shown


@pytest.mark.usefixtures("measured_by_hand")
def test_what_is_red_is_also_said() -> None:
    f = watch(Application([("/", Blocking)]), ALL_THREE)
    words = drawn(f)
    assert words.count("held 0.3 s") == 3
    assert any(text.startswith("none for ") for text in words)
    # Blue is left to the legend: nobody seems to go on after the answer.
    assert f.svg().count(f'fill="{picture.BLUE}"/>') == 1


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


def test_what_was_left_out_is_said() -> None:
    f = recorded((request("ada"), 1, 2))
    assert not any("left out" in words for words in drawn(f))
    f.record.left_out = 1_234_567
    said = "1,234,567 short steps at the end are left out."
    assert said in drawn(f)
    assert said in str(ElementTree.fromstring(f.svg()).get("aria-label"))


@pytest.mark.parametrize("lanes", [1, 3, 10_000])
def test_a_film_of_hundreds_of_thousands_of_steps_makes_a_small_picture(lanes: int) -> None:
    visits = [request(f"u{n}") for n in range(lanes)]
    steps = [(visits[n % lanes], n / 10_000, n / 10_000 + 0.00005) for n in range(200_000)]
    svg = recorded(*steps, ended=20).svg()
    assert len(svg) < 10_000 + 1_500 * min(lanes, picture.MOST_ROWS)
    assert len(list(ElementTree.fromstring(svg).iter())) < 100


def test_a_film_that_was_held_thousands_of_times_makes_a_small_picture() -> None:
    poll = request("poll")
    f = recorded(*[(poll, n, n + 0.5) for n in range(10_000)], ended=10_000)
    assert len(f.svg()) < 20_000
    assert "held 10000 times, 5000.0 s in all" in drawn(f)


def test_many_red_bars_with_room_between_them_make_a_small_picture() -> None:
    poll = request("poll")
    f = recorded(*[(poll, n, n + 0.3) for n in range(150)], ended=150)
    root = ElementTree.fromstring(f.svg())
    reds = [each for each in root.iter() if each.get("fill") in (picture.RED, picture.PINK)]
    assert len(reds) < picture.MOST_MARKED + 10
    assert len(f.svg()) < 20_000


# Where a red bar stood, and what a lane waited for


def place(line: int, call: str, file: str = "server.py") -> Place:
    """Somewhere in a file that was never written."""
    name = f"/nowhere/{line}/{file}"
    text = [*["\n"] * (line - 1), f"{call}\n"]
    linecache.cache[name] = (len(call), None, text, name)
    code = compile("".join(text), name, "exec")
    return Place(Point(code, line, -2), None)


def noted(f: Film, *where: Place, is_handler: bool = True) -> Film:
    """Have the red bars of a film stand somewhere, one after another."""
    for (_, start, _), at in zip(f.record.steps, where, strict=True):
        f.record.long[start] = Long(0, (at,), is_handler)
    return f


def hovers(f: Film) -> list[str]:
    found = ElementTree.fromstring(f.svg()).findall(".//{*}title")
    return [title.text or "" for title in found]


def test_below_a_red_bar_stands_where_it_was_and_the_same_is_said_to_whoever_points_at_it() -> (
    None
):
    f = noted(recorded((request("ada"), 1, 2)), place(12, "time.sleep(1)"))
    assert drawn(f).count("server.py:12, time.sleep(1)") == 1
    assert hovers(f) == ["ada held the loop for 1.0 s: server.py:12, time.sleep(1)"]


def test_a_line_of_something_that_a_request_started_says_so() -> None:
    ada = request("ada", finished=0.5)
    f = noted(recorded((ada, 1, 2)), place(12, "time.sleep(1)"), is_handler=False)
    assert "something ada started: server.py:12, time.sleep(1)" in drawn(f)


def test_a_line_that_several_bars_of_a_row_have_stands_there_once() -> None:
    ada, at = request("ada"), place(12, "time.sleep(1)")
    f = noted(recorded(*[(ada, n, n + 0.5) for n in range(4)]), *[at] * 4)
    assert drawn(f).count("server.py:12, time.sleep(1)") == 1


def test_lines_that_have_no_room_are_counted() -> None:
    ada = request("ada")
    calls = [place(n + 1, f"read_all_that_there_is_of_table_{n}()") for n in range(9)]
    f = noted(recorded(*[(ada, n, n + 0.5) for n in range(9)]), *calls)
    words = drawn(f)
    shown = [text for text in words if "read_all" in text and "ada held" not in text]
    assert 0 < len(shown) < 9
    assert f"and {9 - len(shown)} more places" in words


def test_a_line_that_is_too_long_for_the_picture_is_shortened() -> None:
    f = noted(recorded((request("ada"), 1, 2)), place(1, "f()", file=f"{'m' * 100}.py"))
    [line] = [text for text in drawn(f) if text.startswith("mmm")]
    assert line.endswith("\N{HORIZONTAL ELLIPSIS}")


def test_words_of_bars_that_are_near_to_each_other_do_not_overlap_but_are_counted() -> None:
    row = Row("ada", [(n / 2, n / 2 + 0.3) for n in range(17)])
    words = words_of(picture.draw([row], [], 10, red=0.25, title=""))
    assert words.count("held 0.3 s") == 1, "at the right of the last one"
    assert "held 17 times, 5.1 s in all" in words


def test_a_bar_that_had_no_processor_is_not_red_and_says_so() -> None:
    row = Row("ada", [(1, 4)])
    shown = Picture(
        picture.draw([row], [], 10, red=0.5, title="", notes={1: picture.Note(0.2)})
    )
    assert shown.rectangles(picture.RED) == []
    assert shown.blue() == [(1, 4)]
    assert "no processor" in words_of(ElementTree.tostring(shown.root, "unicode"))


def test_a_bar_that_had_a_processor_for_a_part_of_the_time_says_how_long_that_was() -> None:
    row = Row("ada", [(1, 4)])
    words = words_of(
        picture.draw([row], [], 10, red=0.5, title="", notes={1: picture.Note(2.2)})
    )
    assert "held 2.2 s" in words


def test_whoever_points_at_a_long_pause_reads_what_it_waited_for() -> None:
    ada = request("ada")
    f = recorded((ada, 1, 1.1), (ada, 3, 3.1), (ada, 9, 9.1))
    f.record.waits += [Wait(ada, 1.1, 3, place(7, "sleep(2)")), Wait(ada, 3.1, 9, None)]
    assert hovers(f) == ["ada waited 1.9 s: server.py:7, sleep(2)", "ada waited 5.9 s"]


def test_of_many_pauses_only_the_longest_are_said_and_none_in_a_notebook() -> None:
    ada = request("ada")
    f = recorded((ada, 0, 0.1))
    long = place(1, f"wait_for({'x' * 300})")
    f.record.waits += [Wait(ada, n / 100, n / 100 + 0.001 * n, long) for n in range(1, 900)]
    said = hovers(f)
    assert len(said) == picture.MOST_MARKED
    assert said[-1].startswith("ada waited 0.9 s: server.py:1, wait_for(xxx")
    assert max(map(len, said)) <= picture.MOST_HOVER
    assert len(f.svg()) < 20_000
    shown = base64.b64decode(re.search(r"base64,([^\"]*)", f._repr_html_())[1])  # type: ignore[index]
    assert b"waited" not in shown


# Colours


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


DAY = {colour: colour for colour in picture.DARK}
BY_DAY = (DAY, DAY, picture.ON_BARS)
BY_NIGHT = (picture.DARK, {**picture.DARK, **picture.DARK_WORDS}, picture.ON_BARS)


def inverted(colour: str) -> str:
    """What `filter: invert(1) hue-rotate(180deg)` makes of a colour."""
    red, green, blue = (255 - int(colour[at : at + 2], 16) for at in (1, 3, 5))
    turned = (
        -0.574 * red + 1.43 * green + 0.144 * blue,
        0.426 * red + 0.43 * green + 0.144 * blue,
        0.426 * red + 1.43 * green - 0.856 * blue,
    )
    return "#" + "".join(f"{min(max(round(part), 0), 255):02x}" for part in turned)


IN_LAB = {colour: inverted(colour) for colour in DAY}


@pytest.mark.parametrize(
    ("bars", "words", "on_bars"), [BY_DAY, BY_NIGHT, (IN_LAB, IN_LAB, inverted("#ffffff"))]
)
def test_the_colours_can_be_told_apart(
    bars: dict[str, str], words: dict[str, str], on_bars: str
) -> None:
    on_bars = "#ffffff" if on_bars == "#fff" else on_bars
    for behind in (bars[picture.PAPER], bars[picture.PINK]):
        for colour in (picture.INK, picture.GREY, picture.GREEN, picture.RED, picture.BLUE):
            assert contrast(words[colour], behind) >= 4.5
        assert contrast(bars[picture.BLUE], behind) >= 3
        assert contrast(bars[picture.RED], behind) >= 3
    for bar in (picture.RED, picture.BLUE):
        assert contrast(on_bars, bars[bar]) >= 4.5


def test_every_colour_of_a_picture_has_another_by_night() -> None:
    f = noted(recorded((request("ada", finished=9), 1, 2)), place(12, "time.sleep(1)"))
    used = set(re.findall(r'(?:fill|stroke)="(#\w+)"', picture.ALONE.sub("", f.svg())))
    assert used - {picture.ON_BARS} <= set(picture.DARK)


def test_in_films_that_are_compared_a_second_is_as_long_in_each() -> None:
    def second(svg: str) -> float:
        found = ElementTree.fromstring(svg).find(".//*[@class='film']")
        assert found is not None
        end, start, seconds = (
            float(found.get(f"data-{what}", 0)) for what in ("end", "start", "seconds")
        )
        return (end - start) / seconds

    short = recorded((request("ada", finished=1), 0, 1), ended=2)
    long = recorded((request("ada", finished=9), 0, 9), ended=10)
    assert second(short.svg()) == pytest.approx(5 * second(long.svg()), rel=0.01)
    shown = compared(short, long)
    assert second(shown[0].svg()) == pytest.approx(second(shown[1].svg()), rel=0.01)
    assert [*map(repr, shown)] == [str(short), str(long)]
    assert f'alt="{html.escape(str(short))}"' in shown[0]._repr_html_()
    assert compared() == []
