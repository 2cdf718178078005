"""What somebody expects is kept, and compared with what happens."""

from __future__ import annotations

import pytest

from classroom import predict


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
