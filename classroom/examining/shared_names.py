"""What a learner's cell has replaced that all code of the process uses, such as `open`.

A cell runs in a module of its own: `len = 3` in there is its own affair. What it puts into
`builtins`, `asyncio`, `os` or `time` the check and Tornado get too, and they break in places
that say nothing of the cell. So it is with `sys.modules`, where whoever imports looks first.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import os
import sys
import time
from types import ModuleType

from .rendering import quoted

# The dictionaries themselves: to ask for them later would take `vars`.
_NAMES = {module: vars(module) for module in (builtins, asyncio, os, time)}
_KEPT = {module: names.copy() for module, names in _NAMES.items()}
_MODULES = sys.modules
_KEPT_MODULES = _MODULES.copy()
# With what stood there instead; a name of `sys` is one in `sys.modules`.
_replaced: dict[tuple[ModuleType, str], object] = {}


def put_back() -> None:
    """Give all names back what they stood for, and remember which had something else.

    It calls nothing that can be replaced.
    """
    for module, kept in _KEPT.items():
        names = _NAMES[module]
        for name, value in kept.items():
            if names.get(name, _KEPT) is not value:
                _replaced[module, name] = names.get(name)
        names.update(kept)
    for name, value in _KEPT_MODULES.items():
        if _MODULES.get(name, _KEPT) is not value:
            _replaced[sys, name] = _MODULES.get(name)
    _MODULES.update(_KEPT_MODULES)


def replaced(source: str, tree: ast.Module, *, only_builtins: bool = False) -> str:
    """Return in words which names a cell has replaced; `put_back` has seen them.

    Args:
        source: the cell.
        tree: the cell as it is read.
        only_builtins: whether to leave out what is replaced in other modules.

    Returns:
        Such as "`open` (line 3: `builtins.open = 5`)"; nothing if none was replaced.
    """
    for module, name in _replaced:
        if module is builtins or not only_builtins:
            called = name if module is builtins else f"{module.__name__}.{name}"
            if module is sys:
                called = f"sys.modules[{name!r}]"
            where = _place_of(name, source, tree)
            return f"`{called}` stands for something else" + (f" ({where})" if where else "")
    return ""


def breaks_much() -> bool:
    """Return whether something in `builtins` was replaced by what is of no use there."""
    for (module, name), instead in _replaced.items():
        if module is not builtins:
            continue
        kept = _KEPT[module][name]
        if (
            (callable(kept) and not callable(instead))
            # `isinstance` takes no function.
            or (isinstance(kept, type) and not isinstance(instead, type))
        ):
            return True
    return False


def _place_of(name: str, source: str, tree: ast.Module) -> str:
    """Return the line that gives a name of a module something else, if that can be seen."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Attribute(attr=found, ctx=ast.Store() | ast.Del())
                | ast.Subscript(slice=ast.Constant(found), ctx=ast.Store() | ast.Del())
            ) if found == name:
                return quoted(source, node.lineno)
    return ""
