"""What somebody expects is kept, and compared with what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from classroom import predict
from classroom.predictions import MOST_SHOWN
from classroom.unquoted import Unquoted


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
            ((0,), []),
            ((False,), []),
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


class NoWords:
    """Something that cannot be shown, as the request of Flask outside of a request."""

    def __repr__(self) -> str:
        raise RuntimeError("outside of a request")


class NoText:
    def __repr__(self) -> Any:
        return 3


class NoClass(NoWords):
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("outside of a request")


class NeverEqual:
    """Something whose comparison is no truth, as that of an array."""

    def __eq__(self, other: object) -> Any:
        raise ValueError("the truth of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "[1 2]"


class NoName(type):
    __name__ = 3  # type: ignore[assignment]


class Endless(list[int]):
    def __iter__(self) -> Any:
        raise RuntimeError("no end")


def nested() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


def recursive() -> list[Any]:
    loop: list[Any] = [1]
    loop.append(loop)
    return loop


class TestWhateverIsPredicted:
    """No traceback: it is shown in one line, or a sentence says that it cannot be shown."""

    @pytest.mark.parametrize(
        "make",
        [
            lambda: 10**5000,
            lambda: -(10**5000),
            lambda: [3, 10**5000],
            lambda: {"a": 10**5000},
            NoWords,
            NoText,
            NoClass,
            nested,
            Endless,
        ],
    )
    def test_what_cannot_be_shown_is_no_prediction_yet(
        self, make: Callable[[], object], capsys: pytest.CaptureFixture[str]
    ) -> None:
        mine = predict(make())
        assert str(mine).startswith("No prediction yet: ")
        assert "cannot be shown" in str(mine) and str(mine).endswith(".")
        assert len(str(mine)) < 200 and len(str(mine).splitlines()) == 1
        mine.compare([1, 2])
        assert capsys.readouterr().out == "It was: 1, 2\n"

    def test_a_number_of_too_many_digits_is_told_so(self) -> None:
        for mine in (predict(10**5000), predict(3, 10**5000)):
            assert "a number of so many digits" in str(mine)

    def test_one_of_them_beside_a_word_without_quotes(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert "cannot be shown" in str(predict(Unquoted("soon"), 10**5000))
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        "make",
        [
            lambda: float("nan"),
            lambda: float("inf"),
            lambda: 10**400,
            lambda: b"\xff",
            lambda: "\ud800",
            lambda: "later\nsoon\u2028never",
            lambda: "x" * 1_000_000,
            lambda: [0] * 1_000_000,
            lambda: 10**4000,
            NeverEqual,
            recursive,
            lambda: NoName("odd", (), {}),
            lambda: NoName("odd", (), {})(),
            lambda: iter([1]),
            lambda: {1, 2},
        ],
    )
    def test_all_else_is_shown_in_one_line_that_is_not_too_long(
        self, make: Callable[[], object], capsys: pytest.CaptureFixture[str]
    ) -> None:
        mine = predict(make(), "b")
        assert str(mine).startswith("You predict: ")
        assert len(str(mine)) < MOST_SHOWN + 50 and len(str(mine).splitlines()) == 1
        str(mine).encode()
        for found in ([1, 2], [], 3):
            mine.compare(found)
            assert len(capsys.readouterr().out.splitlines()) == 2
        predict(make()).compare([])
        capsys.readouterr()

    @pytest.mark.parametrize(
        ("mine", "found"),
        [
            (10**400, 10**401),
            (10**20, 10**20 + 1),
            (float("inf"), 10**400),
            ("9" * 5000, 10**400),
            (float("nan"), 3),
        ],
        ids=["no floats", "digits", "infinite", "no integer", "no number"],
    )
    def test_numbers_that_are_large_are_not_alike(
        self, mine: object, found: object, capsys: pytest.CaptureFixture[str]
    ) -> None:
        predict(mine).compare(found)
        assert capsys.readouterr().out.startswith("You predicted: ")

    def test_what_is_no_number_is_as_predicted(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for mine in (float("nan"), "nan"):
            predict(mine).compare(float("nan"))
            assert capsys.readouterr().out == "As you predicted: nan\n"


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
