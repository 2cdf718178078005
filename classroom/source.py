"""The source code of what is taught, shown in a notebook and counted."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

Thing = ModuleType | type | Callable[..., Any]


class Source:
    """The source code of something, as it stands in its file."""

    def __init__(self, thing: Thing) -> None:
        try:
            self.text = textwrap.dedent(inspect.getsource(thing)).strip()
        except (TypeError, OSError) as error:
            # Its own type: what is written in C has no file, and a file can be gone.
            words = f"there is no Python source of {thing!r}: show takes a module, a class or a"
            raise type(error)(f"{words} function that was written in Python") from None

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"


def show(thing: Thing) -> Source:
    """Show the source code of a module, a class or a function of the package.

    Args:
        thing: the module, class or function.

    Raises:
        OSError: there is no file to read it from.
        TypeError: it is nothing that has one, as what is written in C.
    """
    return Source(thing)


def count_lines(thing: Thing) -> int:
    """Count the lines of code in something, without docstrings, comments and empty lines."""
    tree = ast.parse(Source(thing).text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            body[0] = ast.Pass()
    return sum(line.strip() not in ("", "pass") for line in ast.unparse(tree).splitlines())


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
