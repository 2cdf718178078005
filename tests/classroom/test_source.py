"""What is shown of the source code, and how its lines are counted."""

from __future__ import annotations

from classroom import count_lines, predict, show
from stormy_demo import callbacks


class TestSource:
    def test_is_the_code_as_it_stands_in_its_file(self) -> None:
        source = show(callbacks.ResourceHandler.fail)
        assert str(source).startswith("def fail(self")
        assert source._repr_markdown_() == f"```python\n{source}\n```"

    def test_lines_of_code_are_counted_without_documentation(self) -> None:
        assert count_lines(predict) == 2
        assert count_lines(callbacks.make_app) == 2
