"""`slides --check`: it finds each kind of broken slide, and nothing in the real deck."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from slides.__main__ import main
from slides.looking import browser as browsers
from slides.looking import check
from slides.making import deck as decks

pytestmark = pytest.mark.usefixtures("chromium_is_here")

ALL = "1280×720, 1920×1080, 3840×2160 and 1024×768"
PHONES = "390×844 and 844×390"
ALL_AND_PHONES = f"{ALL.replace(' and', ',')}, {PHONES}"
EACH = ", ".join(rf"\d+ px at {size}" for size in ALL.split(", ")).replace(
    " and", r" and \d+ px at"
)
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
IMG = f'<img width="90" height="90" src="data:image/png;base64,{PIXEL}"'
LONG = "\n".join(f"- line {number}" for number in range(30))
NOWHERE = "http://127.0.0.1:9/x.png"


def cell(source: str, kind: str = "-") -> NotebookNode:
    return new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}})


def box(style: str, html: str = "Some words") -> NotebookNode:
    return cell(f'<div style="{style}">{html}</div>')


def output(mimetype: str, data: str) -> NotebookNode:
    shown = new_output("display_data", data={mimetype: data})
    return new_code_cell("show()", execution_count=1, outputs=[shown])


NOTES = cell("What the speaker says.", "notes")

# A slide for each fault: its title, what stands on it, and what is said of it.
BROKEN = {
    # -- it does not fit
    "Too much": (
        [NOTES, cell(LONG)],
        rf'"line 29" sticks out of the slide at the bottom \({EACH}\)$',
    ),
    "Too much, step by step": (
        [NOTES, cell("First."), cell(LONG, "fragment")],
        rf'"line 29" sticks out of the slide at the bottom \({EACH}\)$',
    ),
    "Too wide": (
        [NOTES, box("width: 9em; white-space: nowrap", "A long line. " * 20)],
        rf"sticks out of the slide at the right \({EACH}\)$",
    ),
    "Too wide for 4:3": (
        [NOTES, box("width: 1100px; height: 50px; background: #123; color: #fff")],
        r"sticks out of the slide at the right \(\d+ px at 1024×768\)$",
    ),
    "Too far left": (
        [NOTES, box("margin-left: -200px")],
        rf"sticks out of the slide at the left \({EACH}\)$",
    ),
    "Cut off": (
        [NOTES, box("height: 30px; overflow: hidden", "Some<br>words<br>more")],
        rf"is cut off in its <div> at the bottom \({EACH}\)$",
    ),
    "To be scrolled": (
        [NOTES, box("height: 90px; overflow: auto", "Some<br>words<br>more")],
        rf"has to be scrolled in its <div> at the bottom \({EACH}\)$",
    ),
    "Under the number": (
        [NOTES, box("position: absolute; inset: 0", "words and words " * 160)],
        r"lies under the slide number",
    ),
    "Under a button": (
        [NOTES, box("position: absolute; inset: auto 0 0 0; height: 150px; background: #ccc")],
        r'lies under the button "next slide"',
    ),
    "One on another": (
        [NOTES, cell('<p>One thing</p><p style="margin-top: -45px">Another thing</p>')],
        r'"One thing" and "Another thing" lie on one another',
    ),
    # -- it cannot be read from the last row
    "Small words": (
        [NOTES, box("font-size: 20px")],
        r'text smaller than 24 px: "Some words" \(20\.0 px at 1280×720 and 20\.0 px at 1024',
    ),
    "Words made small": (
        [NOTES, box("font-size: 40px; transform: scale(0.3); transform-origin: 0 0")],
        r"text smaller than 24 px: .* \(12\.0 px at 1280×720, 18\.0 px at 1920×1080",
    ),
    "Words zoomed out": (
        [NOTES, box("font-size: 40px; zoom: 0.5")],
        r"text smaller than 24 px: .* \(20\.0 px at 1280×720 and",
    ),
    "Small code": (
        [NOTES, cell('<pre style="font-size: 15px">print()</pre>')],
        r'code smaller than 18 px: "print\(\)" \(15\.0 px at 1280×720 and 15\.0 px at 1024',
    ),
    "Small words in a drawing": (
        [
            NOTES,
            cell(
                '<svg role="img" aria-label="A word" viewBox="0 0 400 50" width="800">'
                '<text y="20" style="font-size: 10px">small</text></svg>'
            ),
        ],
        r'text smaller than 24 px: "small" in the picture <svg> "A word" \(20\.0 px at 1280',
    ),
    "Small words of a style": (
        [
            NOTES,
            cell(
                '<style>.tiny::before { content: "tiny"; font-size: 9px; }</style>'
                '<p class="tiny">Words</p>'
            ),
        ],
        r'text smaller than 24 px: "tiny" \(9\.0 px at 1280×720, 13\.5 px at 1920×1080',
    ),
    # -- it cannot be read on a phone
    "Too wide to read": (
        [NOTES, box("white-space: nowrap", "Words and words and words and words")],
        r'to read, "Words and .*" is off the screen at the right \(\d+ px at 390×844\)$',
    ),
    "Too small to read": (
        [NOTES, box("font-size: 15px")],
        r'to read, letters smaller than 16 px: "Some words" \(15\.0 px at 390×844 and 15',
    ),
    "Broken to read": (
        [NOTES, cell(f'<pre style="white-space: pre-wrap !important">{"line " * 50}</pre>')],
        rf'to read, a line of code is broken: "line line .*" \(at {PHONES}\)$',
    ),
    "Not to be pressed": (
        [NOTES, cell('<a href="#/1" style="pointer-events: none !important">Where?</a>')],
        rf'to read, <a> "Where\?" cannot be pressed \(at {PHONES}\)$',
    ),
    # -- a screen reader says nothing of it
    "A drawing without words": (
        [NOTES, cell('<svg role="img" width="90" height="90"></svg>')],
        rf"a picture has no words for those who cannot see it \(at {ALL}\)$",
    ),
    "A drawing that is neither": (
        [NOTES, cell('<svg width="90" height="90"></svg>')],
        r'a picture, an <svg>, is neither role="img" nor aria-hidden',
    ),
    "The words of nbconvert": (
        [NOTES, output("image/png", PIXEL)],
        r"a picture among the outputs has nbconvert's words and none of its own",
    ),
    "A file name": (
        [NOTES, cell(f'{IMG} alt="image.png">')],
        r'a picture has a file name for its words: "image\.png"',
    ),
    "A file name among words": (
        [NOTES, cell(f'{IMG} alt="cat.svg, large">')],
        r'a picture has a file name for its words: "cat\.svg, large"',
    ),
    "A frame": (
        [NOTES, cell('<iframe srcdoc="<p>tiny</p>" title="A frame of words"></iframe>')],
        r"what is in <iframe> cannot be looked at",
    ),
    "Words under a gradient": (
        [
            NOTES,
            box("width: 9em"),
            box("margin-top: -60px; height: 70px; background: linear-gradient(red, blue)", ""),
        ],
        r'"Some words" and .* lie on one another',
    ),
    "A word that says nothing": (
        [NOTES, cell(f'{IMG} alt="image">')],
        r'a picture has words that say nothing: "image"',
    ),
    "A decoration among outputs": (
        [NOTES, output("text/html", f'{IMG} alt="">')],
        r"a picture among the outputs is declared a decoration",
    ),
    # -- it has no notes for its speaker
    "No notes": ([cell("Words.")], rf'^slide \d+, "No notes": no notes \(at {ALL}\)$'),
    "Empty notes": ([cell(" ", "notes"), cell("Words.")], r"its notes are empty"),
    "Notes that come late": (
        [cell("Words.", "fragment"), NOTES],
        r"a note is inside a fragment, and not there before it",
    ),
    "Notes for all": (
        [
            NOTES,
            cell(
                "<style>#x, .reveal .slides section:has(.all) aside.notes"
                ' { display: block !important; }</style><p class="all">Words.</p>'
            ),
        ],
        r"the notes are shown to the audience",
    ),
    # -- a part of it is not in the file
    "A picture from outside": (
        [NOTES, cell(f"![A cat]({NOWHERE})")],
        rf"{re.escape(NOWHERE)} is not in the file \(at {ALL}\)$",
    ),
    "A ground from outside": (
        [NOTES, box(f"background: url({NOWHERE})")],
        rf"{re.escape(NOWHERE)} is not in the file",
    ),
}

# What may be on a slide.
SOUND = {
    "Words and a link": [NOTES, cell("Words, and [a link](http://127.0.0.1:9/).")],
    "A decoration": [NOTES, cell(f'{IMG} alt="">')],
    "A described picture": [NOTES, output("text/html", f'{IMG} alt="A cat">')],
    "A named drawing": [
        NOTES,
        cell('<svg role="img" width="90" height="90"><title>A cat</title></svg>'),
    ],
    "Steps": [NOTES, cell("One."), cell("Two.", "fragment"), cell("Three.", "fragment")],
    "Words for screen readers": [
        NOTES,
        box("position: absolute; width: 1px; height: 1px; overflow: hidden; font-size: 9px"),
    ],
    "Code": [NOTES, cell("    def f():\n        return 1\n")],
    "The same": [NOTES, cell("One of two.")],
    "The same ": [NOTES, box("font-size: 20px", "The other of two.")],
}


def built(folder: Path, slides: dict[str, list[NotebookNode]]) -> Path:
    """Build a deck with these slides."""
    cells: list[NotebookNode] = []
    for title, rest in slides.items():
        cells += deepcopy([cell(f"## {title}", "slide"), *rest])
    for number, each in enumerate(cells):
        each.id = f"cell-{number}"
    nbformat.write(new_notebook(cells=cells), folder / "slides.ipynb")
    return decks.build(folder / "slides.ipynb", folder / "deck.html")


def complaints(deck: Path) -> list[str]:
    return check.check(deck).complaints


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Check a deck with all faults, and with what is none."""
    broken = {title: cells for title, (cells, _) in BROKEN.items()}
    return complaints(built(tmp_path_factory.mktemp("broken"), broken | SOUND))


@pytest.mark.parametrize("title", BROKEN)
def test_a_fault_is_found_and_its_slide_is_named(title: str, said: list[str]) -> None:
    number = list(BROKEN).index(title) + 1
    about = [each for each in said if each.startswith(f'slide {number}, "{title}": ')]
    assert [each for each in about if re.search(BROKEN[title][1], each)], about


@pytest.mark.parametrize("title", [title for title in SOUND if title.strip() != "The same"])
def test_what_is_no_fault_is_not_complained_of(title: str, said: list[str]) -> None:
    assert [each for each in said if f'"{title}"' in each] == []


def test_of_slides_with_one_title_the_first_words_are_told(said: list[str]) -> None:
    [complaint] = [each for each in said if '"The same"' in each]
    number = len(BROKEN) + len(SOUND)
    assert complaint.startswith(
        f'slide {number}, "The same" (The other of two. ...): text smaller'
    )


def test_complaints_come_in_the_order_of_the_slides(said: list[str]) -> None:
    numbers = [int(match[1]) for each in said if (match := re.match(r"slide (\d+)", each))]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(BROKEN) + 1


def test_what_scripts_do_is_found(tmp_path: Path) -> None:
    script = f"<script>console.error('alas'); fetch('{NOWHERE}').catch(() => 0)</script>"
    script += "<script>throw new Error('oh')</script>"
    said = complaints(built(tmp_path, {"Scripts": [NOTES, cell(script)]}))
    assert any("the browser says: alas" in each for each in said)
    assert any("the browser says: oh" in each for each in said)
    assert any(f"the browser asks for {NOWHERE}" in each for each in said)


def test_slides_that_a_cell_has_swallowed_are_missed(tmp_path: Path) -> None:
    faulty = built(
        tmp_path,
        {
            "Open": [
                NOTES,
                output("text/html", "</div></div></div></div></section></section>"),
            ],
            "Gone": [NOTES],
        },
    )
    said = complaints(faulty)
    assert f"the deck: slides: 1, and in the notebook 2 (at {ALL})" in said


def test_a_page_that_is_no_deck_gets_a_sentence(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<title>A page</title>", encoding="utf-8")
    assert complaints(page) == [f"the deck: there is no reveal.js in it (at {ALL_AND_PHONES})"]


def test_a_deck_that_does_not_take_the_shape_of_its_screen_is_found(tmp_path: Path) -> None:
    stiff = built(tmp_path, {"A slide": [NOTES]})
    html = stiff.read_text(encoding="utf-8")
    for does, does_not in (("maxScale: 8", "maxScale: 2"), ("(reading) read()", "(reading) 0")):
        assert does in html
        html = html.replace(does, does_not)
    stiff.write_text(html, encoding="utf-8")
    assert complaints(stiff) == [
        f"the deck: it does not open as a page to read (at {PHONES})",
        'slide 1, "A slide": the slide does not fill the screen (at 3840×2160)',
    ]


# -- the verb ---------------------------------------------------------------------------------


def test_the_real_deck_is_as_it_should_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--output", str(tmp_path / "deck.html"), "--check"])
    out, err = capsys.readouterr()
    assert (err, code) == ("", 0)
    assert re.search(
        rf"^Looked at \d\d slides at {ALL_AND_PHONES}: all is well\.$", out, re.MULTILINE
    )
    assert [path.name for path in tmp_path.iterdir()] == ["deck.html"]


def test_a_fault_makes_the_verb_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = built(tmp_path, {"No notes": [cell("Words.")]})
    monkeypatch.setattr(decks, "build", lambda output, by, beside: faulty)
    code = main(["--output", str(faulty), "--check"])
    out, err = capsys.readouterr()
    assert code == 1
    assert err.splitlines() == [
        f'slide 1, "No notes": no notes (at {ALL})',
        "1 thing is wrong with the slides.",
    ]
    assert "all is well" not in out


@pytest.fixture
def short_talk(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A talk of one slide, in the place of the one that the verb makes."""
    folder = tmp_path_factory.mktemp("short")
    built(folder, {"A slide": [NOTES]})
    monkeypatch.setattr(decks, "build", partial(decks.build, folder / "slides.ipynb"))


@pytest.mark.usefixtures("short_talk")
@pytest.mark.parametrize("wanted", ["--check", "--pdf"])
def test_without_a_browser_there_is_a_sentence(
    wanted: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browsers, "find_chromium", lambda: None)
    assert main(["--output", str(tmp_path / "deck.html"), wanted]) == 1
    assert capsys.readouterr().err == (
        "No Chromium, Chrome or Edge was found on this machine:"
        " install one of them, and run this again.\n"
    )
    assert (tmp_path / "deck.html").is_file()


@pytest.mark.usefixtures("short_talk")
def test_a_browser_that_does_not_start_gets_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsers, "find_chromium", lambda: str(tmp_path / "none"))
    assert main(["--output", str(tmp_path / "deck.html"), "--check"]) == 1
    assert re.match(r"\S+none does not start: \S+", capsys.readouterr().err)


@pytest.mark.usefixtures("short_talk")
def test_a_deck_may_be_named_from_where_one_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--output", "deck.html", "--pdf"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deck.html", "deck.pdf"]
