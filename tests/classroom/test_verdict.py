"""A verdict shows itself."""

from __future__ import annotations

import json
import time

from tornado.web import RequestHandler

from classroom.examining import blocking
from classroom.examining.verdict import Verdict


class TestVerdict:
    def test_is_text_and_in_a_notebook_more_than_that(self) -> None:
        verdict = Verdict(
            "x",
            "wrong",
            tried=["one.", "two < three."],
            expected="`this`",
            got="that",
            looks_like="a slip",
            hints=["think", "look"],
            svg="<svg/>",
            alt="ada: alone.",
        )
        assert str(verdict).splitlines() == [
            "Not right yet.",
            "Tried:         two < three.",
            "Expected:      `this`",
            "Got:           that",
            "It looks like: a slip",
            "Hint:          think",
            'One more hint: `hint("x")`',
            "Film: ada: alone.",
        ]
        page = verdict._repr_html_()
        assert "two &lt; three." in page and "<code>this</code>" in page
        assert '<img src="data:image/svg+xml;base64,' in page and 'alt="ada: alone."' in page

    def test_survives_the_way_to_another_process(self) -> None:
        verdict = Verdict("x", "right", tried=["one", "two"])
        assert Verdict(**json.loads(json.dumps(verdict.as_data()))) == verdict

    def test_shows_a_film_beside_that_of_a_handler_that_holds_the_loop(self) -> None:
        verdict = Verdict("x", svg="<svg/>", alt="ada, grace and alan: 3 at once.", beside=True)
        assert str(verdict).splitlines()[-2:] == [
            "Film: ada, grace and alan: 3 at once.",
            f"A handler that holds the loop: {blocking.kept()[1]}",
        ]
        page = verdict._repr_html_()
        assert page.count("<img") == 2 and f'alt="{blocking.kept()[1]}"' in page


def test_the_film_that_is_kept_says_what_one_says_that_is_made() -> None:
    class Slow(RequestHandler):
        def get(self) -> None:
            time.sleep(0.3)

    _, words = blocking.kept()
    assert words == str(blocking.made(Slow))
