"""What an exception shows of how it came about, besides its words, which Python rewrites.

The instruction that failed, and the place that raised it, change less from version to version
than the message does.
"""

from __future__ import annotations

import ast
import dis
from collections import Counter
from types import FrameType, TracebackType
from typing import NamedTuple

NOTHING = object()
# Stands for a file in what Python says of a learner's code.
YOUR_CODE = "<your code>"


class Place(NamedTuple):
    """Where an exception was raised.

    Attributes:
        frame: the innermost frame.
        module: the name of its module, such as "asyncio.runners".
        function: the name of its function.
        instruction: what failed, such as "GET_AWAITABLE".
        detail: what stands with it, such as "__enter__".
        span: first line, last line, first column and last column of its source.
    """

    frame: FrameType
    module: str
    function: str
    instruction: str
    detail: str
    span: tuple[int | None, ...]


def place_of(error: BaseException) -> Place | None:
    """Return where an exception was raised, if it was."""
    trace: TracebackType | None = error.__traceback__
    if trace is None:
        return None
    while trace.tb_next:
        trace = trace.tb_next
    frame = trace.tb_frame
    code = frame.f_code
    found = next((i for i in dis.get_instructions(code) if i.offset == trace.tb_lasti), None)
    return Place(
        frame,
        str(frame.f_globals.get("__name__", "")),
        code.co_name,
        found.opname if found else "",
        found.argrepr if found else "",
        tuple(found.positions or ()) if found else (),
    )


def lines_of(error: BaseException) -> set[int]:
    """Return the lines of a learner's code that an exception went through."""
    found, trace = set(), error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == YOUR_CODE:
            found.add(trace.tb_lineno)
        trace = trace.tb_next
    return found


def awaited_in_vain(error: BaseException) -> bool:
    """Return whether an `await` was given what cannot be awaited, also by a library's."""
    place = place_of(error)
    return isinstance(error, TypeError) and bool(place and place.instruction == "GET_AWAITABLE")


def entered_in_vain(error: BaseException) -> bool:
    """Return whether a plain `with` was given what it cannot enter."""
    place = place_of(error)
    if not isinstance(error, TypeError) or not place:
        return False
    # The second is what Python has since 3.14, for `async with` as well.
    return place.instruction == "BEFORE_WITH" or (
        place.instruction == "LOAD_SPECIAL" and place.detail in ("__enter__", "__exit__")
    )


def called_in_vain(error: BaseException, tree: ast.Module) -> object:
    """Return what a learner's code has called, where a name stands for it and it failed there.

    Args:
        error: what was raised.
        tree: the learner's cell.

    Returns:
        It, or `NOTHING`.
    """
    place = place_of(error)
    if not place or place.frame.f_code.co_filename != YOUR_CODE:
        return NOTHING
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _span(node) == place.span:
            return _value(node.func, place.frame)
    return NOTHING


def operand_of(error: BaseException, tree: ast.Module) -> object:
    """Return what the failing instruction was applied to, where a name stands for it.

    Args:
        error: it.
        tree: the learner's cell.

    Returns:
        The value; `NOTHING` where that is not known, as of what a call has returned, and where
        other code has raised the exception.
    """
    place = place_of(error)
    if not place or place.frame.f_code.co_filename != YOUR_CODE:
        return NOTHING
    for node in ast.walk(tree):
        if _span(node) != place.span:
            continue
        match node:
            case (
                ast.Await(value=value) | ast.Attribute(value=value) | ast.Subscript(value=value)
            ):
                return _value(value, place.frame)
            case ast.Call(func=value):
                return _value(value, place.frame)
            case ast.Name():
                return _value(node, place.frame)
    return NOTHING


# Methods that say yes or no, of futures, tasks, locks and events.
_ASKED = ("cancelled", "done", "is_set", "locked")


def always_true(tree: ast.Module) -> int:
    """Return the line of a test of a future, or of such a method that is not called, or 0."""
    stored: Counter[str] = Counter()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()):
                stored[name] += 1
            # What is made there is no flag of the learner's own.
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=ast.Call(func=made)):
                stored[name] -= ast.unparse(made).endswith("uture")
            case ast.AnnAssign(target=ast.Attribute(attr=name), value=ast.Call(func=made)):
                stored[name] -= ast.unparse(made).endswith("uture")
    for node in ast.walk(tree):
        match node:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                tested = [test]
            case ast.BoolOp(values=tested):
                pass
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                tested = [operand]
            case ast.Call(
                func=ast.Name(id="all" | "any"),
                args=[ast.GeneratorExp(elt=each) | ast.ListComp(elt=each)],
            ):
                tested = [each]
            case _:
                continue
        for each in tested:
            if not isinstance(each, ast.Attribute) or each.attr not in _ASKED:
                continue
            # `self.done` may be such a flag.
            if isinstance(each.value, ast.Attribute) or not stored[each.attr]:
                return each.lineno
    return 0


def named_only(tree: ast.Module) -> int:
    """Return the line on which a function is named, and not called, or 0."""
    functions = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                functions.add(name)
            case ast.ImportFrom(names=names):
                # What begins with a small letter is no class.
                functions |= {each.asname or each.name for each in names}
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Attribute()):
                return node.lineno
            case ast.Expr(value=ast.Name(id=name)) if name in functions and name.islower():
                return node.lineno
    return 0


def _span(node: ast.AST) -> tuple[int | None, ...]:
    names = ("lineno", "end_lineno", "col_offset", "end_col_offset")
    return tuple(getattr(node, name, None) for name in names)


def _value(node: ast.expr, frame: FrameType) -> object:
    match node:
        case ast.Name(id=name):
            return {**frame.f_globals, **frame.f_locals}.get(name, NOTHING)
        case ast.List() | ast.ListComp():
            return []
    return NOTHING
