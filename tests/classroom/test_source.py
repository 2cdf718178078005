"""What is shown of the source code, and how its lines are counted."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from classroom import count_lines, predict, show
from stormy_demo import callbacks


class TestSource:
    def test_is_the_code_as_it_stands_in_its_file(self) -> None:
        source = show(callbacks.ResourceHandler.fail)
        assert str(source).startswith("def fail(self")
        assert source._repr_markdown_() == f"```python\n{source}\n```"

    @pytest.mark.parametrize("thing", [len, int, sys, "callbacks"], ids=repr)
    def test_what_has_none_is_named(self, thing: Any) -> None:
        with pytest.raises(
            (TypeError, OSError), match="there is no Python source of"
        ) as raised:
            show(thing)
        assert repr(thing) in str(raised.value)

    def test_lines_of_code_are_counted_without_documentation(self) -> None:
        assert count_lines(predict) == 2
        assert count_lines(callbacks.make_app) == 2
