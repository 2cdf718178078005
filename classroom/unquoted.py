"""Words without quotes in a prediction, as in `predict(later, soon)`.

Python knows no such names, and says so with a traceback. Here `predict` is handed what was
written, and can say what is missing; the cells below go on. Names that there are keep their
values.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

CALL = re.compile(
    r"^([ \t]*(?:\w+\s*=\s*)?predict\()(.*?)(\)[ \t]*(?:;[ \t]*)?(?:#.*?)?)$",
    re.DOTALL | re.MULTILINE,
)
HERE = "__import__('classroom.unquoted').unquoted"
# Those of a keyboard, and those that a phone or a word processor makes of them.
QUOTES = "'\"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
QUOTES += "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"


@dataclass(frozen=True)
class Unquoted:
    """A word, or several, that somebody wrote without quotes."""

    words: str


def looked_up(word: str, look: Callable[[], Any]) -> Any:
    """Return the value of a name, or the name if it has none that can be meant."""
    try:
        value = look()
    except (NameError, AttributeError):
        return Unquoted(word)
    if getattr(type(value), "__name__", "") == "Prediction":
        # The cell was run before, and gave the name to what it predicts.
        return Unquoted(word)
    return value if name_or_value(value) is value else word


def sentence(values: tuple[Any, ...]) -> str:
    """Say how a prediction is written, with quotes around its words."""
    shown = ("..." if value is ... else _quoted(value) for value in values)
    return f"Put quotes around words: predict({', '.join(shown)})"


def _quoted(value: Any) -> str:
    word = value.words if isinstance(value, Unquoted) else name_or_value(value)
    return f'"{word}"' if isinstance(word, str) else repr(word)


def name_or_value(value: Any) -> Any:
    """Return the name of what has one: it is what somebody means who left quotes out."""
    # Not `isinstance`, which asks an object for its class: some raise an error.
    if not issubclass(type(value), type | ModuleType | FunctionType | BuiltinFunctionType):
        return value
    name = value.__name__
    return name.rpartition(".")[2] if isinstance(name, str) else value


def register(shell: Any) -> None:
    """Have a notebook hand words without quotes to `predict`.

    Args:
        shell: IPython's, as `get_ipython()` returns it.
    """
    shell.input_transformers_post.append(mark_what_is_no_python)
    shell.ast_transformers.append(_Names(shell.user_ns))


def mark_what_is_no_python(lines: list[str]) -> list[str]:
    """Mark the words of a prediction that Python cannot read, as in `predict(one ends)`.

    Args:
        lines: a cell; one that Python can read is returned as it is.
    """
    cell = "".join(lines)
    if "predict(" not in cell or _is_python(cell, "exec"):
        return lines
    return CALL.sub(_marked, cell).splitlines(keepends=True)


def _marked(call: re.Match[str]) -> str:
    before, inside, after = call.groups()
    parts = (
        part
        if _is_python(part.strip(), "eval")
        else f"{HERE}.Unquoted({part.strip().strip(QUOTES)!r})"
        for part in inside.split(",")
    )
    return before + ",".join(parts) + after


def _is_python(source: str, mode: str) -> bool:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        compile(source, "cell", mode, flags)
    except (SyntaxError, ValueError):
        return False
    return True


class _Names(ast.NodeTransformer):
    """Look up the names that `predict` is called with, and forgive those that nobody bound."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = self.names.get("predict")
        is_ours = getattr(called, "__module__", "") == "classroom.predictions"
        if is_ours and isinstance(node.func, ast.Name) and node.func.id == "predict":
            node.args = [self._forgiven(value) for value in node.args]
        return node

    def _forgiven(self, value: ast.expr) -> ast.expr:
        if isinstance(value, ast.List | ast.Tuple):
            value.elts = [self._forgiven(each) for each in value.elts]
        if not isinstance(value, ast.Name | ast.Attribute):
            return value
        word = ast.unparse(value)
        source = f"{HERE}.looked_up({word!r}, lambda: {word})"
        forgiven = ast.parse(source, mode="eval").body
        for inner in ast.walk(forgiven):
            ast.copy_location(inner, value)
        return forgiven
