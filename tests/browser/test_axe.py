"""The deck under axe-core: every slide, by day and by night, in both shapes, and on paper.

By day, in a wide window, all of its rules look. By night, in the shape of 4:3, only those look
again that ask for colours or for room (`faults.AGAIN`): whatever can be seen on a slide is seen
in both.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from playwright.sync_api import ViewportSize

from slides.looking import axe, walk
from slides.making import deck as decks

from . import faults
from .conftest import LIGHT, Opener

pytestmark = pytest.mark.usefixtures("axe_is_here")

# What axe-core cannot decide, by rule, and a pattern for the elements that a person has looked
# at and found to be in order.
RESOLVED = {
    "hidden-content": r"",  # notes, the other slides, controls that lead nowhere
    "color-contrast": r"(^|[ >])text\b",  # words on the bars of a film; measured below
}

# The least contrast of the words in each picture with what is painted below them.
CONTRASTS = (
    f"""() => {{{LIGHT}"""
    + """
    const paint = element => {
        const style = getComputedStyle(element);
        if (element instanceof SVGGeometryElement) return style.fill;
        return element instanceof SVGElement ? 'transparent' : style.backgroundColor;
    };
    const words = [...document.querySelectorAll('section.present section.present svg text')];
    return words.map(text => {
        const box = text.getBoundingClientRect();
        const below = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2)
            .filter(each => !(each instanceof SVGTextContentElement))
            .map(paint).find(colour => colour !== 'none' && rgba(colour)[3] === 255);
        return [text.textContent, contrast(getComputedStyle(text).fill, below)];
    });
}"""
)


WIDE: ViewportSize = {"width": 1280, "height": 720}
FOUR_TO_THREE: ViewportSize = {"width": 1024, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}


# Two of the four combinations are enough: colours are the same in both shapes of a slide, and
# sizes in both schemes.
def test_every_slide(opened: Opener, deck: Path) -> None:
    by_day = opened(color_scheme="light", viewport=WIDE)
    by_night = opened(color_scheme="dark", viewport=FOUR_TO_THREE)
    walk.open_deck(by_day, deck.as_uri())
    wrong = []
    for slide in walk.open_deck(by_night, deck.as_uri()):
        seen = []
        for page, rules in ((by_day, None), (by_night, faults.AGAIN)):
            walk.show(page, slide)
            seen.append(faults.shown(page))
            with walk.alone(page):
                wrong += [f"{slide}: {each}" for each in faults.wrong(page, RESOLVED, rules)]
        # Or the rules that looked by day would not have seen all.
        assert seen[0] == seen[1] and len(seen[0]) > 10, slide
    assert wrong == []


def test_the_deck_as_a_whole(opened: Opener, deck: Path) -> None:
    page = opened()
    walk.open_deck(page, deck.as_uri())
    assert faults.wrong(page, RESOLVED) == []


def test_the_deck_without_scripts(opened: Opener, deck: Path) -> None:
    html = deck.read_text(encoding="utf-8")
    # axe-core is a script itself, so scripts stay on, and the page is made as it is without.
    html = re.sub(r"<script>.*?</script>|</?noscript>", "", html, flags=re.DOTALL)
    page = opened(color_scheme="light")
    page.set_content(html)
    by_day = faults.shown(page)
    assert len(by_day) > 100
    assert faults.wrong(page, RESOLVED) == []
    page.emulate_media(color_scheme="dark")
    assert faults.shown(page) == by_day
    assert faults.wrong(page, RESOLVED, faults.AGAIN) == []


# What scrolls, and is not reached by key; then what is reached, and does not scroll.
UNREACHED = """() => {
    const all = [...document.querySelectorAll('.slides :is(pre, div.film, :has(> .bars))')];
    const scrolls = each => each.scrollWidth > each.clientWidth
        && getComputedStyle(each).overflowX !== 'visible';
    const wrong = all.filter(each => scrolls(each) !== (each.getAttribute('tabindex') === '0'));
    return [all.filter(scrolls).length, wrong.map(each => each.outerHTML.slice(0, 80))];
}"""


def test_what_is_too_wide_for_a_phone_can_be_scrolled_by_key(
    opened: Opener, deck: Path
) -> None:
    page = opened(viewport=PHONE)
    page.goto(deck.as_uri())
    many, wrong = page.evaluate(UNREACHED)
    assert many > 10 and wrong == []
    assert faults.wrong(page, RESOLVED, ("scrollable-region-focusable",)) == []
    page.set_viewport_size({"width": PHONE["height"], "height": PHONE["width"]})
    page.wait_for_function(f"({UNREACHED})()[1].length === 0")
    assert page.evaluate(UNREACHED)[0] < many


def test_words_in_films_stand_out_from_what_is_below_them(opened: Opener, deck: Path) -> None:
    page = opened()
    contrasts = []
    for slide in walk.open_deck(page, deck.as_uri()):
        walk.show(page, slide)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            contrasts += [
                (contrast, scheme, str(slide), word)
                for word, contrast in page.evaluate(CONTRASTS)
            ]
    assert len(contrasts) > 40
    assert [each for each in contrasts if each[0] < 4.5] == []


# -- the tests find what is wrong --------------------------------------------------------------

BROKEN = {
    "color-contrast": '<p style="color: #999; background: #aaa">Grey on grey.</p>',
    "svg-img-alt": '<svg role="img" width="80" height="80"><circle r="9"/></svg>',
    "heading-order": "#### Two levels down",
    "link-name": '<a href="#/"></a>',
    "button-name": '<button style="width: 40px; height: 40px"></button>',
    "aria-valid-attr": '<p aria-lable="x">A word</p>',
    "list": "<ul><p>No item</p></ul>",
    "tabindex": '<p tabindex="3">First, please.</p>',
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a deck of which each slide has one fault."""
    cells = []
    for rule, fault in BROKEN.items():
        cells.append(new_markdown_cell(f"## {rule}\n\n{fault}"))
        cells[-1].metadata.slideshow = {"slide_type": "slide"}
    folder = tmp_path_factory.mktemp("broken")
    nbformat.write(new_notebook(cells=cells), folder / "broken.ipynb")
    return decks.build(folder / "broken.ipynb", folder / "broken.html")


# What is looked at again by night finds what the night can break.
@pytest.mark.parametrize("rules", [None, faults.AGAIN], ids=["all", "again"])
def test_a_broken_slide_is_found(
    opened: Opener, broken: Path, rules: tuple[str, ...] | None
) -> None:
    page = opened(color_scheme="light" if rules is None else "dark")
    found = {}
    for slide in walk.open_deck(page, broken.as_uri()):
        walk.show(page, slide)
        with walk.alone(page):
            wrong = faults.wrong(page, RESOLVED, rules)
        found[slide.title] = slide.title in {each.partition(" ")[0] for each in wrong}
    assert found == {rule: rules is None or rule in rules for rule in BROKEN}


def test_low_contrast_in_a_film_is_found(opened: Opener) -> None:
    page = opened()
    page.set_content(
        '<section class="present"><section class="present"><svg>'
        '<rect width="200" height="100" fill="#b3261e"/>'
        '<text x="9" y="50" fill="#888">no</text><text x="99" y="50" fill="#fff">yes</text>'
        "</svg></section></section>"
    )
    (_, low), (_, high) = page.evaluate(CONTRASTS)
    assert low < 2 < 6 < high < 7


def test_without_axe_a_sentence_says_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Opener
) -> None:
    monkeypatch.setattr(axe, "AXE", tmp_path / "axe.min.js")
    with pytest.raises(axe.NoAxe, match=r"`npm ci --omit=dev --prefix slides/npm` brings it\."):
        axe.audit(opened())
