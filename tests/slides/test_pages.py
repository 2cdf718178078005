"""The pages beside the deck: what is on them, where they lead, and what they ask for."""

from __future__ import annotations

import base64
import functools
import os
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import workshop
from classroom.measured import Bars
from slides.__main__ import main
from slides.looking import addresses
from slides.making import pages
from slides.making.notebook import CannotBuild
from slides.paths import DECK
from tests.built import the_pages
from tests.paths import ROOT

NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
PAGES = ["index", *(f"notebooks/{stem}" for stem in NOTEBOOKS), "then_and_now", "handout"]
VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}

each_page = pytest.mark.parametrize("name", PAGES)
each_notebook = pytest.mark.parametrize("stem", NOTEBOOKS)


class Read(HTMLParser):
    """A page as its tags tell it; to read one that is not well-formed is an error."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[list[str], str]] = []
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(self.html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"<{tag}> has an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        last, _ = self.open.pop()
        assert last == tag, f"</{tag}> ends <{last}>"

    def handle_data(self, data: str) -> None:
        self.texts.append(([f"{t}.{a.get('class')}" for t, a in self.open], data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for each, attributes in self.tags if each == tag]

    @functools.cached_property
    def ids(self) -> list[str]:
        return [str(a["id"]) for _, a in self.tags if "id" in a]

    def links(self) -> list[str]:
        return [str(a["href"]) for a in self.all("a")]

    def text(self, inside: str = "", around: str = "main.") -> str:
        """Give the text within certain elements, such as `details.guess`."""
        return "".join(
            text
            for path, text in self.texts
            if any(each.startswith(inside) for each in path)
            and any(each.startswith(around) for each in path)
        )


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest) -> Path:
    """The pages, beside something in the place of the deck."""
    return the_pages(request)


@functools.cache
def read_once(path: Path) -> Read:
    """A page that many tests look at, and that nothing changes."""
    return Read(path)


def page(folder: Path, name: str) -> Read:
    return read_once(folder / f"{name}.html")


def cells_of(stem: str) -> list[NotebookNode]:
    cells: list[NotebookNode] = nbformat.read(NOTEBOOKS[stem], as_version=4).cells
    return cells


# -- each page --------------------------------------------------------------------------------


def test_there_is_a_page_for_each_notebook_and_paper_and_an_index(folder: Path) -> None:
    found = [each.relative_to(folder).as_posix() for each in folder.rglob("*.html")]
    assert sorted(found) == sorted([DECK.name, *(f"{name}.html" for name in PAGES)])


@each_page
def test_a_page_is_one_file_without_scripts_that_asks_for_nothing(
    folder: Path, name: str
) -> None:
    html = page(folder, name).html
    assert addresses.fetched(html) == []
    assert "<script" not in html.lower()
    assert not re.search(
        r"\bon\w+=\"|MathJax|require\.js|mermaid", re.sub(r"<svg.*?</svg>", "", html)
    )


@each_page
def test_a_page_says_what_it_is(folder: Path, name: str) -> None:
    read = page(folder, name)
    assert re.match(r'<!DOCTYPE html>\s+<html lang="en">', read.html)
    assert len(read.all("h1")) == len(read.all("main")) == len(read.all("title")) == 1
    assert read.text("title.", "head.").strip().endswith("Stormy Webber")


@each_page
def test_headings_leave_no_level_out_and_every_id_is_there_once(
    folder: Path, name: str
) -> None:
    read = page(folder, name)
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(now <= before + 1 for before, now in pairwise(levels))
    assert [each for each, times in Counter(read.ids).items() if times > 1] == []


@each_page
def test_every_link_leads_to_a_file_and_a_place_that_are_there(folder: Path, name: str) -> None:
    read = page(folder, name)
    assert len(read.links()) > len(PAGES)
    for link in read.links():
        url = urlsplit(link)
        if not url.scheme:
            assert not url.path.startswith("/"), link
            target = folder / Path(name).parent / unquote(url.path) if url.path else None
            assert target is None or target.is_file(), link
            if url.fragment:
                there = read_once(target) if target else read
                assert url.fragment in there.ids, link


@each_page
def test_a_page_begins_with_a_way_round_its_links_and_leads_to_all_others(
    folder: Path, name: str
) -> None:
    read = page(folder, name)
    assert read.links()[0] == "#page-main" and "page-main" in read.ids
    here = (folder / f"{name}.html").parent
    led = {(here / link).resolve() for link in read.links() if not link.startswith("#")}
    assert {(folder / f"{each}.html").resolve() for each in PAGES} <= led
    [current] = [a for a in read.all("a") if a.get("aria-current") == "page"]
    assert current["href"] == f"{Path(name).name}.html"


@each_page
def test_what_a_keyboard_can_scroll_has_a_name_of_its_own(folder: Path, name: str) -> None:
    frames = [a for _, a in page(folder, name).tags if a.get("tabindex")]
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in frames)
    assert len({a["aria-label"] for a in frames}) == len(frames)


def test_pages_can_be_rendered_without_files_and_twice_gives_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "write", None)
    rendered = pages.render(deck=DECK.name)
    assert sorted(rendered) == sorted(f"{name}.html" for name in PAGES)
    for name, html in rendered.items():
        assert html == (folder / name).read_text(encoding="utf-8"), name


# -- the pages of the notebooks ---------------------------------------------------------------


@each_notebook
def test_every_cell_and_every_output_reaches_its_page(folder: Path, stem: str) -> None:
    read = page(folder, f"notebooks/{stem}")
    pictures = " ".join(str(each.get("alt")) for each in read.all("img"))
    words, code, out = read.text() + pictures, read.text("div.in"), read.text("div.out")
    for cell in cells_of(stem):
        if "author" in cell.metadata.get("tags", []):
            assert f'id="{cell.id}"' not in read.html
        elif cell.cell_type == "code":
            assert cell.source.strip("\n") in code
            for output in cell.outputs:
                data = output.get("data", {})
                if "text/html" not in data:
                    text = output.get("text") or data["text/plain"]
                    assert text.strip("\n") in out
        elif cell.cell_type == "markdown":
            for word in re.findall(
                r"\w{5,}", re.sub(r"(?<=\])\(\S+\)|<img[^>]*>", "", cell.source)
            ):
                assert word in words


@each_notebook
def test_a_guess_comes_before_its_answer_which_is_folded(folder: Path, stem: str) -> None:
    read = page(folder, f"notebooks/{stem}")
    answers = [
        output.text.strip()
        for cell in cells_of(stem)
        for output in cell.get("outputs", [])
        if output.get("text", "").startswith("It was: ")
    ]
    assert answers
    for answer in answers:
        assert answer in read.text("details.guess")
    for cell in cells_of(stem):
        if "answer" in cell.metadata.get("tags", []):
            assert re.findall(r"\w{5,}", cell.source)[-1] in read.text("details.guess")
    open_to_all = [text for path, text in read.texts if not any("details" in p for p in path)]
    assert "It was: " not in "".join(open_to_all)
    assert "open" not in {key for a in read.all("details")[1:] for key in a}


@each_notebook
def test_the_solutions_are_folded_and_in_colours(folder: Path, stem: str) -> None:
    read = page(folder, f"notebooks/{stem}")
    exercises = [cell for cell in cells_of(stem) if "exercise" in cell.metadata]
    assert read.text("summary.").count("The solution") == len(exercises) > 0
    # The exercises of the sixth are choices, whose solutions have quotes and no keyword.
    colour = "span.s" if stem == "06_best_tool" else "span.k"
    assert any(path[-1].startswith(colour) for path, _ in read.texts if "details.None" in path)


@each_notebook
def test_the_contents_have_each_section_with_its_minutes(folder: Path, stem: str) -> None:
    read = page(folder, f"notebooks/{stem}")
    contents = " ".join(read.text("nav.contents").split())
    sections = [cell for cell in cells_of(stem) if cell.source.startswith(("## ", "### "))]
    for cell in sections:
        heading = cell.source.partition("\n")[0].lstrip("# ").replace("`", "")
        title, *said = re.split(r" \((\d+ min)\)$", heading)
        assert " ".join([title, *said[:1]]) in contents
    assert read.links().count(f"#{sections[0].id}") == 1


def test_each_notebook_leads_to_the_one_before_and_the_one_after(folder: Path) -> None:
    order = list(NOTEBOOKS)
    for place, stem in enumerate(order):
        links = page(folder, f"notebooks/{stem}").all("a")
        beside = {a["rel"]: a["href"] for a in links if "rel" in a}
        expected = {"up": "../index.html"}
        if place:
            expected["prev"] = f"{order[place - 1]}.html"
        if place + 1 < len(order):
            expected["next"] = f"{order[place + 1]}.html"
        assert beside == expected


def test_a_notebook_that_is_named_in_the_text_is_linked(folder: Path) -> None:
    assert "02_coroutines.html" in page(folder, "notebooks/01_callbacks").links()
    then = page(folder, "then_and_now").links()
    assert DECK.name in then
    # `notebooks/01_callbacks.ipynb`, 4
    assert "notebooks/01_callbacks.html#future" in then


def test_films_are_pictures_with_words_in_a_frame(folder: Path) -> None:
    read = page(folder, "notebooks/01_callbacks")
    pictures = [a for a in read.all("img") if str(a["src"]).startswith("data:image/svg+xml")]
    assert all(len(str(a["alt"])) > 20 for a in pictures)
    frames = [a for a in read.all("div") if str(a.get("aria-label")).startswith("Picture ")]
    assert len(frames) == len(pictures)
    films = [a for a in pictures if a.get("class") == "film"]
    assert len(films) >= 4
    for film in films:
        svg = base64.b64decode(str(film["src"]).partition(",")[2]).decode()
        assert svg.count("prefers-color-scheme") == 1, "as dark as the page"
        assert "style" not in film


def test_a_drawing_of_the_talk_has_the_colours_of_the_page(folder: Path) -> None:
    read = page(folder, "notebooks/01_callbacks")
    [drawing] = [a for a in read.all("img") if a.get("class") == "drawing"]
    svg = base64.b64decode(str(drawing["src"]).partition(",")[2]).decode()
    style = svg.partition("<style>")[2].partition("</style>")[0]
    assert set(re.findall(r"var\((--\w+)", svg)) <= set(
        re.findall(r"(--\w+): light-dark", style)
    )


# -- the index --------------------------------------------------------------------------------


def test_the_index_says_of_each_notebook_what_it_gives_and_how_long_it_takes(
    folder: Path,
) -> None:
    text = " ".join(page(folder, "index").text("main.").split())
    for stem in NOTEBOOKS:
        title, *others = cells_of(stem)
        assert title.source.partition("\n")[0].lstrip("# ") in text
        aims = re.findall(r"^- (.*)", title.source, re.MULTILINE)
        assert len(aims) >= 3
        for aim in aims:
            assert aim.replace("`", "") in text
        for path, words in (("core", "for everybody"), ("more", "for those who want more")):
            marked = [cell for cell in others if cell.metadata.get("path") == path]
            assert f"{sum(cell.metadata.minutes for cell in marked)} min {words}" in text


def test_the_index_leads_to_the_deck_and_says_how_to_work_for_real(folder: Path) -> None:
    read = page(folder, "index")
    assert DECK.name in read.links()
    text = read.text("main.")
    assert "python3 workshop.py lab" in text and "30 min" in text
    assert f"Python {'.'.join(map(str, (3, 11)))} or newer" in text


def test_without_a_deck_there_is_a_sentence_and_no_link(tmp_path: Path) -> None:
    write(tmp_path, "04_first", title())
    read = Read(pages.build(tmp_path, tmp_path / "notebooks"))
    assert not [link for link in read.links() if "stormy_webber" in link]
    assert "say python3 workshop.py slides" in read.text("main.")
    assert DECK.name not in page(tmp_path, "then_and_now").links()


@pytest.mark.parametrize(("age", "linked"), [(-10, True), (0, True), (10, False)])
def test_a_pdf_is_linked_unless_it_is_older_than_the_deck(
    tmp_path: Path, age: int, linked: bool
) -> None:
    deck, pdf = tmp_path / DECK.name, tmp_path / "stormy_webber.pdf"
    for path, when in ((deck, 1_000_000), (pdf, 1_000_000 - age)):
        path.touch()
        os.utime(path, (when, when))
    write(tmp_path, "04_first", title())
    index = pages.build(tmp_path, tmp_path / "notebooks")
    assert (pdf.name in Read(index).links()) is linked


def test_a_pdf_that_is_not_there_is_not_linked(folder: Path) -> None:
    assert not [link for link in page(folder, "index").links() if link.endswith(".pdf")]


# -- other notebooks --------------------------------------------------------------------------


def write(folder: Path, stem: str, *cells: NotebookNode) -> Path:
    """Write a notebook; cells of code are as if they had been run."""
    path = folder / "notebooks" / f"{stem}.ipynb"
    path.parent.mkdir(exist_ok=True)
    for cell in cells:
        if cell.cell_type == "code" and cell.execution_count is None:
            cell.execution_count = 1
    metadata = {"language_info": {"name": "python"}}
    nbformat.write(new_notebook(cells=list(cells), metadata=metadata), path)
    return path


def title(text: str = "# One: the first") -> NotebookNode:
    return new_markdown_cell(text, id="title")


def build(tmp_path: Path) -> Path:
    return pages.build(tmp_path / "build", tmp_path / "notebooks").parent


def test_a_new_notebook_comes_by_itself_and_one_that_is_gone_goes(tmp_path: Path) -> None:
    first = write(tmp_path, "04_first", title())
    write(tmp_path, "05_more", title("# More: `await` & co"))
    folder = build(tmp_path)
    assert "More: await & co" in page(folder, "index").text("h3.")
    first.rename(first.with_name("04_renamed.ipynb"))
    assert build(tmp_path) == folder
    found = sorted(each.name for each in (folder / "notebooks").iterdir())
    assert found == ["04_renamed.html", "05_more.html"]


LINKS = {
    "05_more.ipynb": "05_more.html",
    "05_more.ipynb#waiting": "05_more.html#waiting",
    "05_more.ipynb#1.-Wait-for-it": "05_more.html#waiting",
    "#here": "#here",
    "#2.-Here": "#here",
    "#run": "#run",
    "https://127.0.0.1:1/": "https://127.0.0.1:1/",
}


def test_links_of_notebooks_lead_to_pages(tmp_path: Path) -> None:
    links = "".join(f"- [words]({link})\n" for link in LINKS)
    write(
        tmp_path,
        "04_first",
        title(f"# One\n\n{links}"),
        new_markdown_cell("## 2. Here", id="here"),
        new_code_cell("1 + 1", id="run"),
    )
    write(tmp_path, "05_more", title(), new_markdown_cell("## 1. Wait for it", id="waiting"))
    build(tmp_path)
    html = page(tmp_path / "build", "notebooks/04_first").html
    assert re.findall(r'<a href="([^"]*)">words</a>', html) == list(LINKS.values())


def test_a_file_of_the_project_that_has_no_page_is_named_and_not_linked(tmp_path: Path) -> None:
    link = Path(os.path.relpath(ROOT / "pyproject.toml", tmp_path / "notebooks")).as_posix()
    write(tmp_path, "04_first", title(f"# One\n\nSee [what we need]({link}).\n"))
    build(tmp_path)
    html = page(tmp_path / "build", "notebooks/04_first").html
    assert "<p>See what we need.</p>" in html


def test_outputs_of_every_kind_can_be_read(tmp_path: Path) -> None:
    outputs = [
        new_output("stream", name="stdout", text="to a < b\n"),
        new_output("stream", name="stderr", text="a warning\n"),
        new_output(
            "error",
            ename="ValueError",
            evalue="no",
            traceback=["\x1b[31mValueError\x1b[39m: no <b>"],
        ),
        new_output(
            "display_data", {"image/png": "AAAA"}, metadata={"image/png": {"alt": "a dot"}}
        ),
        new_output("display_data", {"text/html": "<table><tr><td></td></tr></table>"}),
        new_output("execute_result", {"text/plain": "'<i>'"}, execution_count=1),
    ]
    write(tmp_path, "04_first", title(), new_code_cell("%%time\ngo()", outputs=outputs))
    read = page(build(tmp_path), "notebooks/04_first")
    out = read.text("div.out")
    for words in ("to a < b", "a warning", "ValueError: no <b>", "'<i>'"):
        assert words in out
    assert "a warning" in read.text("pre.error") and "no <b>" in read.text("pre.error")
    assert [a["alt"] for a in read.all("img")] == ["a dot"]


def test_bars_are_as_dark_as_their_page_and_have_words(tmp_path: Path) -> None:
    bars = Bars("Just now", {"one": 1.0, "other": 2.0}, unit="ms", alt="The other is longer.")
    output = new_output("display_data", {"text/html": bars._repr_html_()})
    write(tmp_path, "04_first", title(), new_code_cell("bars", outputs=[output]))
    [picture] = page(build(tmp_path), "notebooks/04_first").all("img")
    assert picture["alt"] == "The other is longer."
    svg = base64.b64decode(str(picture["src"]).partition(",")[2]).decode()
    assert svg.count("prefers-color-scheme") == 1


def test_code_is_coloured_and_keeps_its_lines(tmp_path: Path) -> None:
    code = 'def f():\n    """A & B.\n\n    More.\n    """\n\n    return "<" * 2'
    write(tmp_path, "04_first", title(f"# One\n\n```python\n{code}\n```"), new_code_cell(code))
    read = page(build(tmp_path), "notebooks/04_first")
    assert read.text("pre.code") == f"{code}\n" * 2
    assert {"span.k", "span.nf", "span.sd", "span.mi"} <= {
        path[-1] for path, _ in read.texts if path
    }


def test_a_picture_of_the_folder_becomes_part_of_its_page(tmp_path: Path) -> None:
    write(tmp_path, "04_first", title("# One\n\n![a dot](dot.svg)"))
    (tmp_path / "notebooks" / "dot.svg").write_text("<svg></svg>", encoding="utf-8")
    [dot] = page(build(tmp_path), "notebooks/04_first").all("img")
    assert dot["src"] == "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=" and dot["alt"] == "a dot"


# -- what can go wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ([], r"04_first\.ipynb has no title: it must begin with a line '# \.\.\.'\."),
        ([title("## Two")], r"04_first\.ipynb has no title"),
        ([title("# One\n\n[x](06_gone.ipynb)")], r"link to 06_gone\.ipynb, which is not there"),
        ([title("# One\n\n[x](#nowhere)")], r"link to #nowhere, which is not there"),
        ([title("# One\n\n![x](gone.svg)")], r"shows gone\.svg, which is not there"),
        ([title("# One\n\n<img src='gone.svg'>")], r"has a picture without words"),
        (
            [
                title(),
                new_code_cell("f", outputs=[new_output("display_data", {"image/png": ""})]),
            ],
            r"has a picture without words",
        ),
    ],
)
def test_what_no_page_can_be_made_of_gets_a_sentence(
    tmp_path: Path, cells: list[NotebookNode], sentence: str
) -> None:
    write(tmp_path, "04_first", *cells)
    with pytest.raises(CannotBuild, match=sentence):
        build(tmp_path)
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(
    "html", ["<link rel=stylesheet href=https://example.org/a.css>", "<script>go()</script>"]
)
def test_a_page_that_needs_more_than_itself_is_refused(html: str, tmp_path: Path) -> None:
    shown = new_output("display_data", data={"text/html": html})
    write(tmp_path, "04_first", title(), new_code_cell("show()", outputs=[shown]))
    with pytest.raises(CannotBuild, match=r"04_first\.html would need more than itself: "):
        build(tmp_path)


def test_a_notebook_that_was_never_run_gets_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, "04_first", title(), new_code_cell("f()"), new_code_cell("g()"))
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].execution_count = None
    nbformat.write(notebook, path)
    sentence = (
        r"04_first\.ipynb has cells that were never run: 1, .*'g\(\)'.*workshop\.py refresh"
    )
    with pytest.raises(CannotBuild, match=sentence):
        build(tmp_path)


def test_what_is_no_notebook_gets_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, "04_first", title())
    path.write_text("# not JSON", encoding="utf-8")
    with pytest.raises(CannotBuild, match=r"^04_first\.ipynb is not a notebook: "):
        build(tmp_path)


def test_a_folder_without_notebooks_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match="There are no notebooks in "):
        build(tmp_path)


# -- publishing -------------------------------------------------------------------------------


def test_what_publishes_the_pages_uses_words_that_the_door_knows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    workflow = (ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
    commands = re.findall(r"workshop\.py (\w+)(.*)", workflow)
    assert [verb for verb, _ in commands] == ["slides"]
    assert "slides" in workshop.VERBS
    with pytest.raises(SystemExit):
        main(["--help"])
    known = capsys.readouterr().out
    options = commands[0][1].split()
    assert set(options) == {"--pdf", "--check"} and all(each in known for each in options)
    assert f"path: {DECK.parent.relative_to(ROOT).as_posix()}" in workflow
