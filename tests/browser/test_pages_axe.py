"""The pages beside the deck under axe-core: by day on a phone, and by night at a desk.

By day all of its rules look. By night and at a desk only those look again that ask for colours
or for room (`faults.AGAIN`): whatever can be seen in one of the two is seen in the other, and
colours are the same at both widths. Of the tokens of code, thousands on a page, one of each
kind is judged, and of words that look alike the contrast of one; `test_all_words_stand_out`
measures all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.built import the_pages

from . import faults
from .conftest import Opener
from .reading import DESK, PHONE, all_of, show

pytestmark = pytest.mark.usefixtures("axe_is_here")

# What axe-core cannot decide, by rule, and a pattern for the elements that a person has looked
# at and found to be in order.
RESOLVED = {
    # It cannot measure words that are wrapped or scrolled out of sight.
    # `test_all_words_stand_out` can.
    "color-contrast": r"",
    "color-contrast-enhanced": r"",
    # Two parts of "Then and now" and of the workshop have the same name; each is in a list that
    # says which of the two it is about.
    "identical-links-same-purpose": r'a\[href\$="03_trequests\.html"\]$',
}


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest) -> Path:
    """The pages, beside something in the place of the deck."""
    return the_pages(request)


def test_axe_finds_nothing_by_day_on_a_phone(opened: Opener, folder: Path) -> None:
    page = opened(color_scheme="light", viewport=PHONE)
    found = {}
    for path in all_of(folder):
        show(page, path)
        faults.thin_out(page)
        faults.judge_once(page)
        found[path.name] = faults.wrong(page, RESOLVED)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_axe_finds_nothing_by_night_at_a_desk(opened: Opener, folder: Path) -> None:
    page = opened()
    found = {}
    for path in all_of(folder):
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        show(page, path)
        faults.thin_out(page)
        by_day = faults.shown(page)
        assert len(by_day) > 100
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(DESK)
        # Or the rules that looked by day would not have seen all.
        assert faults.shown(page) == by_day, path.name
        faults.judge_once(page)
        found[path.name] = faults.wrong(page, RESOLVED, faults.AGAIN)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


# -- the tests find what is wrong --------------------------------------------------------------

BROKEN = {
    "color-contrast": '<p style="color: #999; background: #aaa">Grey on grey.</p>',
    "image-alt": '<img src="data:image/png;base64,AAAA">',
    "heading-order": "<h5>Far down</h5>",
    "link-name": '<a href="#main"></a>',
    "list": "<ul><p>No item</p></ul>",
    "landmark-unique": '<div role="region" aria-label="A">A</div>' * 2,
    "td-has-header": "<table><tr><td>1<td>2<td>3<td>4"
    + "<tr><td>5<td>6<td>7<td>8" * 3
    + "</table>",
    "focus-order-semantics": '<p tabindex="0">Nothing to do here.</p>',
}
# By night: words, one of several tokens, a link among words; and what is too small to press.
BROKEN_AT_NIGHT = {
    "color-contrast": '<p style="color: light-dark(#000, #222)">Dark on dark.</p>',
    "color-contrast-enhanced": "<style>.zz { color: light-dark(#000, #888); }</style><pre>"
    + '<span class="zz">one</span> ' * 3
    + "</pre>",
    "link-in-text-block": "<p>Words <a href='#main' style='text-decoration: none; border: 0;"
    " background: none; font: inherit; color: light-dark(blue, #ddd)'>and more</a> words.</p>",
    "target-size": '<button style="width: 9px; height: 9px; border: 0"></button>' * 2,
}


def append(opened: Opener, folder: Path, broken: dict[str, str], scheme: str) -> set[str]:
    """Put what is broken at the end of a page, and return the rules that find it."""
    page = opened(color_scheme=scheme, viewport=DESK)
    show(page, folder / "index.html")
    page.evaluate(
        "faults => document.querySelector('main').insertAdjacentHTML('beforeend', faults)",
        "".join(broken.values()),
    )
    thinned = faults.thin_out(page)
    assert thinned == 2 * ("zz" in "".join(broken.values()))
    assert faults.judge_once(page) > 5
    rules = None if scheme == "light" else faults.AGAIN
    return {each.partition(" ")[0] for each in faults.wrong(page, RESOLVED, rules)}


def test_axe_finds_what_is_broken(opened: Opener, folder: Path) -> None:
    assert set(BROKEN) <= append(opened, folder, BROKEN, "light")


def test_axe_finds_by_night_what_is_broken_by_night(opened: Opener, folder: Path) -> None:
    assert append(opened, folder, BROKEN_AT_NIGHT, "dark") == set(BROKEN_AT_NIGHT)
    colours = {"color-contrast", "color-contrast-enhanced"}
    assert not colours & append(opened, folder, BROKEN_AT_NIGHT, "light")


def test_of_words_that_look_alike_one_is_judged(opened: Opener) -> None:
    page = opened()
    grey = '<p style="color: #888">Grey</p>'
    faint = '<p style="opacity: 0.3">Faint</p>'
    page.set_content(f"<main>{'<p>Black</p>' * 3}{grey * 2}{faint}<b>{grey}</b></main>")
    assert faults.judge_once(page) == 4
    [grey_ones, faint_ones] = [
        [each for each in faults.wrong(page, {}, faults.AGAIN) if word in each]
        for word in ("#888888", "#b3b3b3")
    ]
    assert grey_ones and faint_ones


def test_what_is_seen_in_one_width_only_is_found(opened: Opener) -> None:
    page = opened(viewport=DESK)
    page.set_content(
        "<style>@media (width < 500px) { p { display: none; } }</style><p>A</p><b>B</b>"
    )
    wide = faults.shown(page)
    page.set_viewport_size(PHONE)
    assert faults.shown(page) == wide[1:]
