"""The talk: its notebook, and the file that is made of it."""

from __future__ import annotations

import ast
import base64
import os
import re
import subprocess
import sys
from html import unescape
from itertools import takewhile
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode, v4

from loopfilm import picture
from slides import __main__ as program
from slides.__main__ import main
from slides.drawing.scenes import DRAWINGS, draw
from slides.looking import addresses
from slides.making import deck as decks
from slides.making import qr, speaker
from slides.making.deck import length, slides
from slides.making.inline import with_pictures
from slides.making.notebook import CannotBuild
from slides.making.timing import clock, timing
from slides.paths import NOTEBOOK, PICTURES, SLIDES, THEN_AND_NOW
from tests.built import the_deck
from tests.paths import ROOT
from tools.address import address

TITLES = """
Stormy Webber | Who? | Tornado | Tornado cont. | Asynchronous | Stringing cats | e.g.
Great for RESTful webservices | e.g. | e.g. | Best tool for the job | Batteries included
Batteries included cont. | Batteries included cont. | Bonus & tricks | trequests
trequests cont. | trequests cont. | trequests cont. | sys.exit(0) | ^D
"""

# Where a new part of the talk begins.
PARTS = """
Stormy Webber | Asynchronous | Stringing cats | Great for RESTful webservices
Best tool for the job | Batteries included | Bonus & tricks | trequests | sys.exit(0)
"""

# What everybody meets, in this order: each title begins so.
STORY = """
Three ask at once | A callback waits | One step, in two ways | Or wait where you stand
Bob's library in a handler | Left in the middle | Two lines more
Three ways to wait | If somebody asks
"""

# Whatever the talk of 2013 names.
NAMED = """
Stormy Webber | Wes Mason | @1stvamp | Canonical | open source | Tornado | FriendFeed | Facebook
fast web server | non-blocking I/O | Long polling | WebSockets | Pure Python | framework
Sessions | Auth | Templates | Callbacks | Coroutines | Futures | Tulip
Asynchronous != parallel | Cooperative "threading" | HTTP client | HTTP server
ioloop.add_callback | ioloop.add_future | gen.coroutine | gen.Task | gen.Wait | yield
motor.Op | db.messages.insert | callback=self._on_response | RESTful | tornado.web.Application
resources-root | .handlers | application.listen | 0.0.0.0 | 8888 | IOLoop.instance()
IOLoop.start() | __main__ | RequestHandler | prepare | get_argument | @asynchronous
add_timeout | self.finish | mixed freely | async library | socket.io | gevent | Templating
Auth handlers | Twitter OAuth | TCP client | TCP server | Streams | Thread pools | Async DNS
c-ares | DNS by threads | TwistedResolver | Process pooling | Bound master socket/port
tornado.platform.twisted | SMTP client | Greenlets | tornalet | pycurl | libcurl | PEP 3156
pypy | trequests | python-requests | AsyncHTTPClient | CurlAsyncHTTPClient | httplib3 | greenlet
bobs_big_data | BigData.post | setup_session() | WebHandler | github.com/1stvamp/trequests
github.com/1stvamp/stormy-webber | sys.exit(0) | ^D | Jonathan "Joff" Oliver
"""

WORD_FOR_WORD = """
setup_session()

class WebHandler(RequestHandler):
    @tornalet
    def get(self):
        data = {'foo': 'bar'}
        response = bobs_big_data.BigData(data).post()
        return self.write(response)
"""


def listed(names: str) -> list[str]:
    return [name.strip() for name in re.split(r"[|\n]", names.strip())]


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def deck(request: pytest.FixtureRequest) -> Path:
    return the_deck(request)


@pytest.fixture(scope="module")
def html(deck: Path) -> str:
    return deck.read_text(encoding="utf-8")


def kind(cell: NotebookNode) -> str:
    return str(cell.metadata.get("slideshow", {}).get("slide_type", "-"))


def title(cells: list[NotebookNode]) -> str:
    """The title of a slide, as the talk of 2013 has it."""
    first = str(cells[0].source).splitlines()[0].lstrip("# ")
    return re.sub(r" <small>.*</small>", "", first)


def talk(notebook: NotebookNode) -> list[list[NotebookNode]]:
    """The slides without the appendix."""
    return [*takewhile(lambda cells: not is_appendix(cells), slides(notebook))]


def is_appendix(cells: list[NotebookNode]) -> bool:
    return "appendix" in cells[0].metadata.get("tags", [])


# -- the notebook -----------------------------------------------------------------------------


def test_every_slide_of_2013_is_there_in_its_order(notebook: NotebookNode) -> None:
    titles = [title(cells) for cells in talk(notebook) if kind(cells[0]) == "slide"]
    assert titles == listed(TITLES)


def test_a_slide_that_does_not_say_what_it_is_about_has_that_in_small_letters(
    notebook: NotebookNode,
) -> None:
    about = []
    for cells in slides(notebook):
        first = cells[0].source.splitlines()[0]
        if first.endswith((" cont.", "# e.g.")) or "<small>" in first:
            found = re.fullmatch(r"## .+ <small>(.+)</small>", first)
            assert found, first
            about.append(found[1])
    assert len(about) == len(set(about)) == 9


def test_the_story_is_told_in_its_order(notebook: NotebookNode) -> None:
    titles = [title(cells) for cells in slides(notebook)]
    told = [next(t for t in titles if t.startswith(begin)) for begin in listed(STORY)]
    assert told == sorted(told, key=titles.index)


def test_nobody_awaits_before_a_callback_was_seen(notebook: NotebookNode) -> None:
    called_back = False
    for cells in slides(notebook):
        code = "".join(c.source for c in cells if c.cell_type == "code")
        called_back = called_back or "add_done_callback" in code
        assert called_back or "await" not in code, title(cells)
    assert called_back


def test_the_appendix_is_linked_from_the_talk_and_holds_nothing_else(
    notebook: NotebookNode,
) -> None:
    main = talk(notebook)
    appendix = [*slides(notebook)][len(main) :]
    names = [cells[0].metadata.get("name") for cells in appendix]
    assert names[0] is None and all(names[1:])
    links = [re.findall(r"\(#/([\w-]+)\)", "".join(c.source for c in cells)) for cells in main]
    linked = [name for each in links for name in each]
    assert sorted(linked) == sorted(set(names[1:]) - {"generator"})
    assert re.findall(r"\(#/([\w-]+)\)", appendix[0][0].source) == names[1:]


def test_every_slide_has_notes_that_no_fragment_hides(notebook: NotebookNode) -> None:
    for cells in slides(notebook):
        assert [kind(cell) for cell in cells[:2]][1:] == ["notes"], cells[0].source
        assert re.search(r"\*\*(?:Note|Ask):\*\*", cells[1].source)
        assert not [cell for cell in cells[2:] if kind(cell) == "notes"], cells[0].source


def test_the_talk_takes_half_an_hour(notebook: NotebookNode) -> None:
    assert 29 * 60 < length(notebook) <= 30 * 60
    assert length(notebook) == sum(timing(cells).seconds for cells in talk(notebook))


def test_a_slide_takes_as_long_as_what_is_said_asked_and_shown(
    notebook: NotebookNode,
) -> None:
    def cell(source: str, kind: str = "", *tags: str) -> NotebookNode:
        metadata = {"slideshow": {"slide_type": kind}, "tags": [*tags]}
        return v4.new_code_cell(source, metadata=metadata)

    first = v4.new_markdown_cell("### Code")
    words = v4.new_markdown_cell(
        f"- **Note:** {'word ' * 130}\n- **Demo:** {'silent ' * 130}",
        metadata={"slideshow": {"slide_type": "notes"}},
    )
    assert timing([first]).seconds == 0
    assert timing([first, words]).seconds == 60
    asked = v4.new_markdown_cell("- **Ask:**  Who?", metadata=words.metadata)
    assert timing([first, asked]).seconds == 20
    # Two cells of one step are looked at together, and what is skipped by nobody.
    assert timing([first, cell("1"), cell("2"), cell("3", "skip")]).code == 1
    assert timing([first, cell("1"), cell("2", "fragment")]).seconds == 30
    assert timing([first, cell("1", "", "bare")]).seconds == 0
    [blocking] = [c for c in slides(notebook) if title(c).startswith("Three ask at once")]
    assert timing(blocking).has_film


def test_a_question_asks_one_thing(notebook: NotebookNode) -> None:
    """More would take longer than the seconds that are reckoned."""
    for cells in slides(notebook):
        for asked in re.findall(r"\*\*Ask:\*\* (.*)", cells[1].source):
            assert asked.endswith("?") and asked.count("?") == 1, asked


def test_the_talks_handler_runs_word_for_word(notebook: NotebookNode) -> None:
    [cell] = [
        c for c in notebook.cells if c.cell_type == "code" and "class WebHandler" in c.source
    ]
    assert cell.source.partition("\n\n")[2] == WORD_FOR_WORD.strip()
    assert any(
        WORD_FOR_WORD.strip() in c.source for c in notebook.cells if c.cell_type != "code"
    )


def test_code_cells_were_run_and_are_short(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.execution_count, cell.source
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert len(lines) <= 8 or cell.id in ("imports", "web-class"), cell.source


def test_only_notebooks_that_exist_are_named(notebook: NotebookNode) -> None:
    named = set(
        re.findall(r"notebooks/(\w+\.ipynb)", "".join(c.source for c in notebook.cells))
    )
    named |= set(re.findall(r"notebooks/(\w+\.ipynb)", table()))
    assert {"01_callbacks.ipynb", "02_coroutines.ipynb", "03_trequests.ipynb"} <= named
    assert not [n for n in named if not (ROOT / "notebooks" / n).is_file()]


def on(notebook: NotebookNode) -> list[str]:
    return [c.source for c in notebook.cells if "on" in c.metadata.get("tags", [])]


def test_every_part_ends_at_a_section_of_a_notebook(notebook: NotebookNode) -> None:
    part, ends = "", dict[str, list[str]]()
    for cells in slides(notebook):
        if is_appendix(cells):
            break
        if title(cells) in listed(PARTS):
            part = title(cells)
        ends[part] = [c.source for c in cells if "on" in c.metadata.get("tags", [])]
    assert ends.pop("sys.exit(0)") == []
    assert [len(last) for last in ends.values()] == [1] * (len(listed(PARTS)) - 1), ends

    for way in on(notebook):
        if "](#/" in way:
            continue
        numbers = r"\d+(?:,? (?:and|to) \d+|, \d+)*"
        there = rf"`(?:notebooks/(?=\w+\.))?(\w+)(?:\.ipynb)?`, ({numbers})"
        assert re.fullmatch(rf"(?:[a-z ]+ )?goe?s? on in {there}(?:, and {there})*", way), way
        for stem, named in re.findall(there, way):
            for number in re.findall(r"\d+", named):
                assert section(stem, number)


def test_a_guess_is_asked_for_before_its_answer_is_shown(notebook: NotebookNode) -> None:
    asked = 0
    for cells in slides(notebook):
        tags = [cell.metadata.get("tags", []) for cell in cells]
        for place, cell in enumerate(cells):
            if "ask" in tags[place]:
                asked += 1
                assert cell.source.startswith("*Your guess?* ")
                later = range(place + 1, len(cells))
                assert any("predict" in tags[n] or kind(cells[n]) == "fragment" for n in later)
                # What is shown together with the question may be code, and no output.
                for n in later:
                    if kind(cells[n]) == "fragment":
                        break
                    assert "predict" in tags[n] or not cells[n].get("outputs"), cell.source
    assert asked >= 10


def test_every_drawing_is_used_and_says_what_is_to_be_seen(notebook: NotebookNode) -> None:
    text = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    used = re.findall(r"!\[([^\]]*)\]\(pictures/(\w+)\.svg\)", text)
    assert sorted(name for _, name in used) == sorted(DRAWINGS)
    words = [alt for alt, _ in used]
    assert all(len(alt) > 20 for alt in words) and len(set(words)) == len(words)


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_what_the_pen_draws(name: str) -> None:
    drawn = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert drawn == draw(name), "to draw them again: python -m slides.drawing"


@pytest.mark.parametrize(
    ("room", "known"), [("making", {"looking"}), ("looking", set()), ("drawing", set())]
)
def test_the_rooms_of_the_program_use_each_other_one_way(room: str, known: set[str]) -> None:
    used = set()
    for path in (SLIDES / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                used |= {f"{node.module}.{each.name}" for each in node.names}
            elif isinstance(node, ast.Import):
                used |= {each.name for each in node.names}
    of_slides = {name.split(".")[1] for name in used if name.startswith("slides.")}
    assert of_slides - {room, "paths"} == known


# -- then and now -----------------------------------------------------------------------------


def table() -> str:
    return THEN_AND_NOW.read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    lines = [line for line in table().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "named in 2013" and not row[0].startswith("---")]


def test_then_and_now_has_a_row_for_whatever_the_talk_names() -> None:
    first_column = "\n".join(row[0].replace("`", "") for row in rows()).lower()
    assert not [name for name in listed(NAMED) if name.lower() not in first_column]


def test_then_and_now_says_of_each_where_it_runs() -> None:
    for row in rows():
        assert len(row) == 4 and all(row), row


# What runs nowhere in particular.
NOWHERE = re.compile(r"everywhere|gone")
# What stands at the place of a row whose own words do not.
INSTEAD = {
    "Wes Mason, `@1stvamp`; Canonical; open source": "Open source",
    '"an async library available for your backend component"': "Bob",
    "`httplib3`": "urllib3",
}


def section(stem: str, number: str) -> str:
    """The text of a section with its outputs, or of the whole notebook."""
    text, inside = "", not number
    for cell in nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4).cells:
        if number and cell.source.startswith("## "):
            inside = cell.source.startswith(f"## {number}. ")
        text += f"{cell.source}\n{cell.get('outputs', '')}\n" if inside else ""
    assert text, f"{stem} has no section {number}"
    return text


def places(where: str, notebook: NotebookNode) -> list[str]:
    """The text of each place that a row names; fails for one that is not there."""
    found = []
    for stem, numbers in re.findall(r"`notebooks/(\w+)\.ipynb`((?:,? (?:and )?\d+)*)", where):
        found += [section(stem, number) for number in re.findall(r"\d+", numbers) or [""]]
    rooms = "stormy_demo|tornalet|trequests|loopfilm|benchmarks|tests|pyproject|stormy_webber"
    for path in re.findall(rf"`((?:{rooms})[\w./]*(?:\.\w+|/))`", where):
        at = ROOT / ("slides" if path.endswith(".ipynb") else "") / path
        files = [at] if at.is_file() else [*at.rglob("*.py")]
        assert files, path
        found.append("\n".join(file.read_text(encoding="utf-8") for file in files))
    for named in re.findall(r'appendix: "([^"]+)"', where):
        [cells] = [cells for cells in slides(notebook) if title(cells) == named]
        found.append("\n".join(f"{cell.source}\n{cell.get('outputs', '')}" for cell in cells))
    parts = [part for part in parts_of(notebook) if part]
    for which, named in re.findall(r'(?:from the (\w+)|from|slides?|,) "([^"]+)"', where):
        shown = [part for part in parts if named in part.splitlines()[0].replace("`", "")]
        number = ["", "first", "second", "third"].index(which)
        assert len(shown) >= max(number, 1), named
        found += [shown[number - 1]] if number else shown
    return found


def parts_of(notebook: NotebookNode) -> list[str]:
    """Each slide of 2013 with what is below it, as text with its outputs."""
    found = [""]
    for cell in notebook.cells:
        if kind(cell) == "slide":
            found.append("")
        found[-1] += f"{cell.source}\n{cell.get('outputs', '')}\n"
    return found


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_then_and_now_says_where_a_thing_runs_and_it_is_there(
    row: list[str], notebook: NotebookNode
) -> None:
    name, _, became, where = row
    found = places(where, notebook)
    if not found:
        assert NOWHERE.fullmatch(where), where
        return
    # The names in the row, and whatever is long enough to be telling.
    words = re.findall(r"`([^`]+)`", f"{name} {became}") + re.findall(r"\w{4,}", name)
    words.append(INSTEAD.get(name, name))
    assert any(word.strip("()").lower() in "\n".join(found).lower() for word in words), row


def test_then_and_now_has_nothing_left_that_is_not_run_here() -> None:
    assert "not yet" not in table().lower()


# -- the file ---------------------------------------------------------------------------------


def test_the_deck_is_one_file_that_asks_for_nothing(deck: Path, html: str) -> None:
    assert [path.name for path in deck.parent.iterdir()] == [deck.name]
    assert addresses.fetched(html) == []
    for outsider in ("MathJax", "require.min.js", "mermaid", "unpkg.com", "cdnjs"):
        assert outsider not in html


def test_scripts_end_where_they_should(html: str) -> None:
    assert (
        len(re.findall(r"<script\b", html, re.I))
        == len(re.findall(r"</script>", html, re.I))
        == 3
    )


def test_notes_are_hidden_by_css_alone(html: str) -> None:
    before_body = html.partition("<body")[0]
    always = re.sub(r"<noscript>.*?</noscript>", "", before_body, flags=re.DOTALL)
    assert re.search(r"aside\.notes[^{}]*\{\s*display: none !important;", always)
    assert "notes" not in "".join(re.findall(r"<noscript>.*?</noscript>", html, re.DOTALL))


def test_every_slide_reaches_the_deck(html: str, notebook: NotebookNode) -> None:
    all_slides = list(slides(notebook))
    assert html.count('<aside class="notes">') == len(all_slides)
    assert html.count("<h2") + html.count("<h1") == len(listed(TITLES))
    assert "In&nbsp;[" not in html and "Out[" not in html
    assert "No description has been provided" not in html


def test_a_deck_can_be_rendered_without_a_file(
    html: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decks, "write", None)
    assert decks.render() == html


def test_two_builds_give_the_same_bytes(deck: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.html"
    elsewhere = {**os.environ, "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-m", "slides", "--output", str(again)]
    subprocess.run(command, cwd=ROOT, env=elsewhere, check=True)
    assert again.read_bytes() == deck.read_bytes()


def test_with_its_pictures_it_is_at_most_450_kilobytes(html: str) -> None:
    assert html.count("<svg") > 30
    assert len(html.encode()) <= 450_000


def test_the_speaker_view_knows_how_long_each_slide_takes(
    html: str, notebook: NotebookNode
) -> None:
    seconds = re.findall(r'<section data-timing="(\d+)">\s*(?!<section)', html)
    assert [*map(int, seconds)] == [timing(cells).seconds for cells in talk(notebook)]


def test_the_notes_say_how_long_a_slide_takes_and_when_it_begins(
    html: str, notebook: NotebookNode
) -> None:
    begun = 0
    for cells in talk(notebook):
        seconds = timing(cells).seconds
        assert f"<strong>{clock(seconds)}</strong>, from {clock(begun)}." in html
        begun += seconds
    assert html.count(", not in the talk.") == len([*slides(notebook)]) - len(talk(notebook))


def test_the_line_that_counts_is_marked(html: str, notebook: NotebookNode) -> None:
    lit = [
        cell.source.splitlines()[number - 1].strip()
        for cell in notebook.cells
        for number in cell.metadata.get("lit", [])
    ]
    marked = re.findall(r'<span class="hll">(.*?)\n</span>', html, re.DOTALL)
    said = [unescape(re.sub("<.*?>", "", line)).strip() for line in marked]
    assert said == lit and len(lit) > 10


def test_whoever_speaks_stands_on_the_title(tmp_path: Path) -> None:
    title = decks.render(by="Ada & Grace").partition("</section>")[0]
    assert "Given today by <strong>Ada &amp; Grace</strong>" in title
    assert "Wes Mason" in title
    assert "Given today" not in decks.render(by="")
    (tmp_path / "speaker.toml").write_text('name = " Alan "\n', encoding="utf-8")
    assert speaker.name(tmp_path / "speaker.toml") == "Alan"
    assert speaker.name(tmp_path / "gone.toml") == ""


@pytest.mark.parametrize("text", ["", "name = 3", 'name = " "', "name = Ada"])
def test_a_speaker_without_a_name_gets_a_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "speaker.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CannotBuild, match=r"^speaker\.toml (?:has no name|cannot be read)"):
        speaker.name(tmp_path / "speaker.toml")


def test_the_last_slide_has_the_address_for_a_telephone(html: str) -> None:
    last = html.partition("Three ways to wait")[2].partition("</section>")[0]
    assert f'aria-label="QR code of {address()}"' in last
    dark = re.search(r' d="(.+?)"', qr.picture(address()))
    assert dark and dark[1] in last


@pytest.mark.parametrize(("owner", "lines"), [("OWNER", 2), ("ada", 1)])
def test_an_address_that_is_nobodys_gets_a_sentence(
    owner: str,
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    told = f"https://github.com/{owner}/stormy-webber"
    made = tmp_path / "deck.html"
    made.write_text("<title>The deck</title>", encoding="utf-8")
    monkeypatch.setattr(program, "address", lambda: told)
    monkeypatch.setattr(decks, "build", lambda **_: made)
    assert main(["--output", str(made)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == lines
    assert (told in said[-1] and "python3 -m tools.address" in said[-1]) == (lines == 2)


def test_films_are_part_of_the_page_and_can_be_played(
    html: str, notebook: NotebookNode
) -> None:
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    pages = [out.data for out in outputs if "<img" in out.get("data", {}).get("text/html", "")]
    films = [data for data in pages if "held" in data["text/plain"]]
    figures = re.findall(r'<div class="film".*?</div>', html, re.DOTALL)
    assert len(figures) == len(films) >= 4
    for figure, film in zip(figures, films, strict=True):
        assert f'aria-label="{film["text/plain"]}"' in figure
        assert "<animate " in figure and 'begin="indefinite"' in figure
        # Without the script that plays it, there is no button either.
        assert re.search(r"<button [^>]*\bhidden\b", figure)
    names = re.findall(r'<clipPath id="([^"]+)"', html)
    assert len(set(names)) == len(names) == len(films)


def test_the_frame_that_a_notebook_has_around_a_film_stays_behind(tmp_path: Path) -> None:
    svg = picture.draw([picture.Row("ada", [(0, 1)])], [], 1, red=0.5, title="ada")
    html = with_pictures(f"<p>{picture.as_image(svg, 'a > b')}</p>", tmp_path)
    assert html.startswith('<p><div class="film"') and html.endswith("</p></div></p>")
    assert "loopfilm" not in html and "<style" not in html and "<img" not in html
    assert 'aria-label="a &gt; b"' in html


def test_on_a_slide_no_line_stands_below_a_row_and_none_leaves_a_gap(tmp_path: Path) -> None:
    def shown(line: str) -> str:
        rows = [picture.Row("ada", [(0, 1), (2, 2.1)], (0, 3)), picture.Row("alan", [(1, 2)])]
        notes = {at: picture.Note(1, line) for at in (0.0, 1.0)}
        svg = picture.draw(rows, [0, 1, 2], 3, red=0.5, title="ada", notes=notes)
        return with_pictures(picture.as_image(svg, "ada"), tmp_path)

    def numbers(html: str) -> list[float]:
        return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", html)]

    assert "server.py" not in shown("server.py:1, sleep()")
    assert numbers(shown("server.py:1, sleep()")) == numbers(shown(""))


def test_pictures_are_in_the_colours_of_the_page(html: str) -> None:
    for svg in re.findall(r"<svg\b.*?</svg>", html, re.DOTALL):
        fixed = re.findall(r'(?:fill|stroke)="(#\w+)"', svg)
        assert set(fixed) <= {"#fff"}, svg[:200]
    assert "data:image/svg" not in html.partition("<body")[2]


# -- what can go wrong ------------------------------------------------------------------------


def test_a_cell_that_was_never_run_gets_a_sentence(
    notebook: NotebookNode, tmp_path: Path
) -> None:
    fresh = nbformat.from_dict(notebook)
    [cell, *_] = [cell for cell in fresh.cells if cell.cell_type == "code"]
    before, cell.execution_count = cell.execution_count, None
    nbformat.write(fresh, tmp_path / "fresh.ipynb")
    cell.execution_count = before
    with pytest.raises(CannotBuild, match=r"never run: 1, .*workshop\.py refresh"):
        decks.build(tmp_path / "fresh.ipynb", tmp_path / "deck.html")
    assert not (tmp_path / "deck.html").exists()


def test_html_that_nobody_can_read_gets_a_sentence(tmp_path: Path) -> None:
    shown = v4.new_output("display_data", data={"text/html": "<!-- never closed"})
    first = {"slideshow": {"slide_type": "slide"}}
    code = v4.new_code_cell("show()", execution_count=1, outputs=[shown], metadata=first)
    nbformat.write(v4.new_notebook(cells=[code]), tmp_path / "talk.ipynb")
    # Whether the parser of this Python refuses it, or takes all that comes after for a comment.
    with pytest.raises(CannotBuild, match=r"talk\.ipynb has HTML that nobody can read: "):
        decks.build(tmp_path / "talk.ipynb", tmp_path / "deck.html")


def test_a_notebook_without_slides_gets_a_sentence(tmp_path: Path) -> None:
    cell = v4.new_markdown_cell("# A page")
    nbformat.write(v4.new_notebook(cells=[cell]), tmp_path / "talk.ipynb")
    with pytest.raises(CannotBuild, match=r"talk\.ipynb has no slides"):
        decks.build(tmp_path / "talk.ipynb", tmp_path / "deck.html")


def test_a_drawing_that_would_change_the_page_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "dot.svg").write_text("<svg><style>p{}</style></svg>", encoding="utf-8")
    with pytest.raises(CannotBuild, match=r"^dot\.svg has a style, a script or an id"):
        with_pictures('<img src="dot.svg" alt="a dot">', tmp_path)


def test_a_picture_that_is_not_there_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match=r"shows pictures/gone\.svg, which is not"):
        with_pictures('<img src="pictures/gone.svg" alt="a hole">', tmp_path)


def test_a_picture_without_words_is_an_ornament(tmp_path: Path) -> None:
    (tmp_path / "dot.svg").write_text("<svg></svg>", encoding="utf-8")
    html = with_pictures('<img src="dot.svg" alt="">', tmp_path)
    assert html == '<svg class="drawing" aria-hidden="true"></svg>'


@pytest.mark.parametrize(
    "img", ['<img alt="a > b" src="dot.svg">', "<img src=dot.svg alt='a > b'/>"]
)
def test_words_for_a_picture_may_hold_anything(img: str, tmp_path: Path) -> None:
    (tmp_path / "dot.svg").write_text("<svg></svg>", encoding="utf-8")
    html = with_pictures(img, tmp_path)
    assert html == '<svg class="drawing" role="img" aria-label="a &gt; b"></svg>'


def test_other_pictures_stay_as_they_are(tmp_path: Path) -> None:
    theirs = base64.b64encode(b'<svg><path id="a"/></svg>').decode()
    for img in (
        "<img>",
        '<img src="data:image/png;base64,AAAA" alt="x">',
        f'<img src="data:image/svg+xml;base64,{theirs}" alt="x">',
        '<img src="data:image/svg+xml;base64,!!!" alt="x">',
    ):
        assert with_pictures(img, tmp_path) == img


def test_a_missing_package_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    find_spec = decks.find_spec
    monkeypatch.setattr(decks, "find_spec", lambda n: None if n == "pyreveal" else find_spec(n))
    assert main(["--output", str(tmp_path / "deck.html")]) == 1
    assert capsys.readouterr().err == (
        "The package pyreveal is not installed here. `python3 workshop.py slides` brings it.\n"
    )


def test_a_deck_that_is_called_a_pdf_gets_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--output", str(tmp_path / "talk.pdf"), "--pdf"])
    assert "talk.pdf is the name of a PDF" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_gets_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--output", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err
