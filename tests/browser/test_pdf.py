"""`slides --pdf`: a page for each slide, for readers and for screen readers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from pypdf import PdfReader
from pypdf.generic import ContentStream, Destination

from slides import making
from slides.__main__ import main
from slides.making import pdf as pdfs
from slides.paths import COLOURS, DECK

pytestmark = pytest.mark.usefixtures("chromium_is_here")

# Code of which a slide shows the picture only.
BARE = re.compile(r'(celltag_bare[\w ]*">)\s*<div class="jp-InputArea">.*?</pre>', re.DOTALL)

A4 = (595, 842)  # points
MARGIN = 12  # points of the page of 960 by 540


class Slides(HTMLParser):
    """The slides of a deck: titles, words, notes, and the words for pictures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.titles: list[str] = []
        self.words: list[str] = []
        self.notes: list[str] = []
        self.pictures: list[tuple[int, str]] = []
        self.buttons: list[str] = []
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "section" and "section" in self.inside:
            for texts in (self.titles, self.words, self.notes):
                texts.append("")
        if values.get("role") == "img":
            self.pictures.append((len(self.words) - 1, values["aria-label"] or ""))
        if tag == "button":
            self.buttons += [value or "" for name, value in attrs if name.startswith("data-")]
        if tag in ("section", "aside", "h1", "h2", "h3", "style", "script", "button"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.inside[:2] != ["section", "section"]:
            return
        if "aside" in self.inside:
            self.notes[-1] += data
        elif self.inside[-1] not in ("style", "script", "button"):
            self.words[-1] += data
            if self.inside[-1] in ("h1", "h2", "h3"):
                self.titles[-1] += data


def packed(text: str) -> str:
    """Return a text as it can be compared: without spaces, and without ligatures.

    A PDF has letters and their places. Spaces are a guess, and "fi" may be one letter.
    """
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def shown(html: str) -> str:
    """Return a deck without what its theme hides: code of pictures, words in small films."""
    cells = re.split(r'(?=<div class="jp-Cell)', BARE.sub(r"\1", html))
    for place, cell in enumerate(cells):
        kinds = cell.partition(">")[0]
        if "celltag_two" in kinds or "celltag_third" in kinds:
            cell = re.sub(r'<p class="legend">.*?</p>', "", cell, flags=re.DOTALL)
        if "celltag_third" in kinds:
            cell = re.sub(r"<text\b.*?</text>", "", cell, flags=re.DOTALL)
        cells[place] = cell
    return "".join(cells)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, chromium_is_here: None) -> Path:
    """Print the deck, through the verb."""
    folder = tmp_path_factory.mktemp("printed")
    assert main(["--output", str(folder / "talk.html"), "--pdf"]) == 0
    return folder


@pytest.fixture(scope="module")
def pdf(folder: Path) -> PdfReader:
    return PdfReader(folder / "talk.pdf")


@pytest.fixture(scope="module")
def slides(folder: Path) -> Slides:
    return Slides(shown((folder / "talk.html").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def pages(pdf: PdfReader) -> list[str]:
    """The letters on each page."""
    return [packed(page.extract_text()) for page in pdf.pages]


def test_the_pdf_is_beside_the_deck(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["talk.html", "talk.pdf"]


@pytest.fixture
def short_talk(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A talk of one slide beside one notebook, in the place of all that the verb makes."""
    folder = tmp_path_factory.mktemp("short")
    slide = new_markdown_cell("# A slide", metadata={"slideshow": {"slide_type": "slide"}})
    nbformat.write(new_notebook(cells=[slide]), folder / "talk.ipynb")
    (folder / "notebooks").mkdir()
    notebook = new_notebook(cells=[new_markdown_cell("# One")])
    nbformat.write(notebook, folder / "notebooks" / "01_one.ipynb")
    build_deck = partial(making.deck.build, folder / "talk.ipynb")
    monkeypatch.setattr(making.deck, "build", build_deck)
    build_pages = partial(making.pages.build, notebooks=folder / "notebooks")
    monkeypatch.setattr(making.pages, "build", build_pages)


@pytest.mark.usefixtures("short_talk")
def test_the_index_leads_to_a_pdf_that_is_as_new_as_the_deck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("slides.__main__.DECK", tmp_path / DECK.name)
    monkeypatch.setattr("slides.__main__.address", lambda: "https://github.com/ada/kit")
    index = tmp_path / "index.html"
    link = f'href="{DECK.stem}.pdf"'

    assert main(["--pdf", "--notes"]) == 0
    assert link in index.read_text(encoding="utf-8")
    told = capsys.readouterr().out.splitlines()
    names = [line.partition(" (")[0].partition(": ")[0] for line in told]
    made = ["html", "pdf", "notes.pdf"]
    made = [*(f"stormy_webber.{kind}" for kind in made), "index.html"]
    assert names == [str(tmp_path / name) for name in made]

    assert main([]) == 0
    assert link not in index.read_text(encoding="utf-8")


def test_each_slide_is_a_page_with_its_title(pages: list[str], slides: Slides) -> None:
    assert len(slides.titles) > 20
    assert len(pages) == len(slides.titles)
    for page, title in zip(pages, slides.titles, strict=True):
        assert packed(title) in page


def test_each_page_has_all_words_of_its_slide_whatever_the_step(
    pages: list[str], slides: Slides
) -> None:
    for page, words in zip(pages, slides.words, strict=True):
        assert [word for word in words.split() if packed(word) not in page] == []


def test_no_word_touches_the_edge_of_its_page(pdf: PdfReader) -> None:
    for number, page in enumerate(pdf.pages, 1):
        places: list[tuple[float, float, str]] = []

        def note(text: str, outer: Any, inner: Any, *_: Any, places: Any = places) -> None:
            if text.strip():
                x, y = inner[4], inner[5]
                across = outer[0] * x + outer[2] * y + outer[4]
                places.append((across, outer[1] * x + outer[3] * y + outer[5], text.strip()))

        page.extract_text(visitor_text=note)
        width, height = page.mediabox.width, page.mediabox.height
        assert (width, height) == (960, 540)
        assert len(places) > 1
        assert [
            (number, text)
            for x, y, text in places
            if not (MARGIN < x < width - MARGIN and MARGIN < y < height - MARGIN)
        ] == []


def test_nothing_is_printed_that_a_reader_cannot_use(pages: list[str], slides: Slides) -> None:
    """No word of the notes, and no button."""
    printed, shown = " ".join(pages), packed(" ".join(slides.words))
    assert all(notes.strip() for notes in slides.notes)
    for notes in slides.notes:
        words = notes.split()
        fours = [packed("".join(words[at : at + 4])) for at in range(len(words) - 3)]
        assert fours
        assert [four for four in fours if four in printed and four not in shown] == []
    assert slides.buttons
    assert [label for label in slides.buttons if packed(label) in printed] == []


def test_the_pdf_is_in_the_colours_of_day(pdf: PdfReader) -> None:
    colours = COLOURS.read_text(encoding="utf-8")
    found = re.search(r"--ink: light-dark\((#\w+), (#\w+)\)", colours)
    assert found
    for page in pdf.pages:
        assert found[1] in set(fills(page)) and found[2] not in set(fills(page))


def fills(page: Any) -> Iterator[str]:
    """Give the colours that a page is filled with, also in its drawings."""
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator == b"rg":
            yield "#" + "".join(f"{round(255 * float(part)):02x}" for part in operands)


# -- with the notes ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notes(folder: Path) -> PdfReader:
    """The slides with their notes, printed from the same deck."""
    return PdfReader(pdfs.print_notes(folder / "talk.html", folder.parent / "notes.pdf"))


def test_the_notes_are_on_pages_of_paper_each_below_its_slide(
    notes: PdfReader, slides: Slides
) -> None:
    assert {(round(p.mediabox.width), round(p.mediabox.height)) for p in notes.pages} == {A4}
    pages = [packed(page.extract_text()) for page in notes.pages]
    assert len(slides.titles) / 3 < len(pages) < len(slides.titles)
    for title, said in zip(slides.titles, slides.notes, strict=True):
        # Not one of them is broken, and what is said stands with what is shown.
        [page] = [page for page in pages if packed(said) in page]
        assert packed(title) in page


def test_the_notes_are_tagged_and_have_an_outline(notes: PdfReader, slides: Slides) -> None:
    root: Any = notes.trailer["/Root"]
    assert notes.metadata and notes.metadata.title == "Stormy Webber: the notes"
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "en"
    titles = [packed(str(entry.title)) for entry in entries_of(notes.outline)]
    assert titles == [packed(title) for title in slides.titles]
    pictures = [
        element.get("/Alt")
        for element in structure(root["/StructTreeRoot"]["/K"])
        if element.get("/S") == "/Figure"
    ]
    assert pictures == [words for _, words in slides.pictures]


# -- for screen readers -----------------------------------------------------------------------


def test_the_pdf_says_its_title_and_its_language(pdf: PdfReader) -> None:
    root: Any = pdf.trailer["/Root"]
    assert pdf.metadata and pdf.metadata.title == "Stormy Webber"
    assert root["/Lang"] == "en"


def test_the_outline_has_the_titles_in_their_order(pdf: PdfReader, slides: Slides) -> None:
    outline = list(entries_of(pdf.outline))
    places = [pdf.get_destination_page_number(entry) for entry in outline]
    assert places == list(range(len(slides.titles)))
    # Where a title is broken into lines, the outline has no space.
    titles = [packed(str(entry.title)) for entry in outline]
    assert titles == [packed(title) for title in slides.titles]


def test_the_pdf_is_tagged_and_its_pictures_have_their_words(
    pdf: PdfReader, slides: Slides
) -> None:
    root: Any = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    pictures, headings = [], 0
    for element in structure(root["/StructTreeRoot"]["/K"]):
        kind = element.get("/S")
        headings += kind in ("/H1", "/H2", "/H3")
        if kind == "/Figure":
            page = pdf.get_page_number(element["/Pg"].get_object())
            pictures.append((page, element.get("/Alt")))
    assert headings == len(slides.titles)
    assert len(pictures) > 5
    assert pictures == slides.pictures


def entries_of(outline: list[Any]) -> Iterator[Destination]:
    """Give the entries of an outline, with those below them."""
    for entry in outline:
        if isinstance(entry, list):
            yield from entries_of(entry)
        else:
            yield entry


def structure(node: Any) -> Iterator[Any]:
    """Give the elements of a PDF's structure, in the order in which they are read out."""
    node = node.get_object() if hasattr(node, "get_object") else node
    for each in node if isinstance(node, list) else [node]:
        element = each.get_object() if hasattr(each, "get_object") else each
        if isinstance(element, dict):
            yield element
            if "/K" in element:
                yield from structure(element["/K"])
