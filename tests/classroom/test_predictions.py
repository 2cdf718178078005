"""What somebody expects is kept, and compared with what happens."""

from __future__ import annotations

import pytest

from classroom import predict


@pytest.fixture
def predict_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a working copy, as `workshop.py lab` opens them."""
    monkeypatch.setenv("STORMY_PREDICT_FIRST", "1")


@pytest.fixture(autouse=True)
def where_answers_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be nowhere else than in a committed notebook."""
    monkeypatch.delenv("STORMY_PREDICT_FIRST", raising=False)


class TestPredict:
    @pytest.mark.parametrize(
        ("expected", "found"),
        [
            ((3,), 3),
            ((3.0,), 3),
            (("3",), 3),
            (("Queue", "timer."), ["queue", "timer"]),
            ((["queue", "timer"],), ["queue", "timer"]),
            ((200, ""), (200, "")),
            (("nothing",), []),
            (([],), []),
            (("empty",), []),
            (("",), []),
            (("400 401",), [400, 401]),
            (("queue, timer",), ["queue", "timer"]),
            (("a, b",), "a, b"),
        ],
    )
    def test_a_right_one_is_told_as_such(
        self, expected: tuple[object, ...], found: object, capsys: pytest.CaptureFixture[str]
    ) -> None:
        predict(*expected).compare(found)
        assert capsys.readouterr().out.startswith("As you predicted: ")

    @pytest.mark.parametrize(("expected", "found"), [((2,), 3), (("a", "b"), ["b", "a"])])
    def test_a_wrong_one_stands_above_what_was_found(
        self, expected: tuple[object, ...], found: object, capsys: pytest.CaptureFixture[str]
    ) -> None:
        predict(*expected).compare(found)
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
            "You",
            "It",
        ]

    def test_one_with_dots_left_says_so_and_is_none_yet(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for begun in (predict(1, ...), predict([..., "queue"])):
            assert str(begun).startswith("There are dots left in your prediction")
            begun.compare([1, 2])
            assert capsys.readouterr().out == "It was: 1, 2\n"
        assert str(predict(..., ...)).startswith("No prediction yet")

    def test_without_one_only_what_was_found_is_told(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for empty in (predict(...), predict()):
            assert str(empty).startswith("No prediction yet")
            empty.compare(["queue", ""])
            assert capsys.readouterr().out == "It was: queue, ''\n"

    def test_who_does_not_want_to_guess_is_told(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for declined in (predict(None), predict(None, None)):
            assert str(declined) == "You do not guess: see what happens."
            declined.compare(3)
            assert capsys.readouterr().out == "It was: 3\n"

    @pytest.mark.parametrize("mine", [..., None, 3])
    def test_what_is_shown_beside_it_is_handed_on(self, mine: object) -> None:
        assert predict(mine).compare(3, "the film") == "the film"
        assert predict(mine).reveal("the film") == "the film"


@pytest.mark.usefixtures("predict_first")
class TestPredictFirst:
    NOTE = (
        "Predict first: put something in place of the dots and run that cell, "
        "or say predict(None)."
    )

    @pytest.mark.parametrize("dots", [(), (...,), (..., ...), (1, ...), ([1, ...],)])
    def test_nothing_tells_the_answer_while_a_prediction_is_empty(
        self, dots: tuple[object, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        empty = predict(*dots)
        assert empty.compare([1, 2], "the film") is None
        assert capsys.readouterr().out == f"{self.NOTE}\n"
        assert repr(empty.reveal("the film")) == self.NOTE

    @pytest.mark.parametrize("mine", [None, 2, 3])
    def test_after_a_prediction_or_without_the_wish_for_one_all_is_told(
        self, mine: object, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert predict(mine).compare(3, "the film") == "the film"
        assert ": 3" in capsys.readouterr().out.replace("        3", " 3")
        assert predict(mine).reveal("the film") == "the film"
