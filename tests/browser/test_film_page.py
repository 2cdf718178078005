"""The page with which a running server answers can be read by day, by night, and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from loopfilm import Film, page
from loopfilm.record import Long
from loopfilm.where import Place, Point
from slides.looking import axe
from tests.browser.conftest import Opener
from tests.loopfilm.servers import recorded, request

pytestmark = pytest.mark.usefixtures("axe_is_here")


def filmed() -> Film:
    ada, grace = request("ada", finished=6), request("<b>" + "grace" * 40, finished=9)
    f = recorded((ada, 1, 1.1), (grace, 2, 3.5), (ada, 5, 6))
    code = filmed.__code__
    place = Place(Point(code, 23, 0), Point(code, 24, 0))
    f.record.long = {2: Long(places=(place,)), 5: Long()}
    return f


PAGES: dict[str, Callable[[], str]] = {
    "a film": lambda: page.of_film(filmed()),
    "an empty film": lambda: page.of_film(recorded()),
    "how to use it": lambda: page.of_usage("/loopfilm", 60),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("which", PAGES)
def test_it_fits_and_axe_core_finds_nothing(
    opened: Opener, tmp_path: Path, which: str, width: int, scheme: str
) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGES[which](), encoding="utf-8")
    shown = opened(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shown.goto(path.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert not axe.audit(shown).violations
