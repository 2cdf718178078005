"""What a learner's cell has replaced that all code of the process uses, such as `open`.

A cell runs in a module of its own: `len = 3` in there is its own affair. What it puts into
`builtins`, `asyncio`, `os`, `time`, or into Tornado, the check and Tornado get too, and they
break in places that say nothing of the cell. So it is with `sys.modules`, where whoever imports
looks first.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import os
import sys
import time
from types import ModuleType

import tornado.concurrent
import tornado.gen
import tornado.httpclient
import tornado.ioloop
import tornado.web

from .rendering import quoted

# The dictionaries themselves: to ask for them later would take `vars`.
_TORNADO = (
    tornado.concurrent, tornado.gen, tornado.httpclient, tornado.ioloop, tornado.web,
)  # fmt: skip
_NAMES = {module: vars(module) for module in (builtins, asyncio, os, time, *_TORNADO)}
_KEPT = {module: names.copy() for module, names in _NAMES.items()}
_MODULES = sys.modules
_KEPT_MODULES = _MODULES.copy()
# With what stood there instead; a name of `sys` is one in `sys.modules`.
_replaced: dict[tuple[ModuleType, str], object] = {}
# The methods that all handlers have.
_HANDLER = tornado.web.RequestHandler
_KEPT_METHODS = dict(vars(_HANDLER))


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
    for name, value in _KEPT_METHODS.items():
        if (instead := vars(_HANDLER).get(name)) is not value and name[:2] != "__":
            _replaced[tornado.web, f"RequestHandler.{name}"] = instead
            setattr(_HANDLER, name, value)


def replaced(source: str, tree: ast.Module) -> str:
    """Return in words which names a cell has replaced; `put_back` has seen them.

    Args:
        source: the cell.
        tree: the cell as it is read.

    Returns:
        Such as "`open` (line 3: `builtins.open = 5`)"; nothing if none was replaced.
    """
    for module, name in _replaced:
        called = name if module is builtins else f"{module.__name__}.{name}"
        if module is sys:
            called = f"sys.modules[{name!r}]"
        where = _place_of(name.rpartition(".")[2], source, tree)
        return f"`{called}` stands for something else" + (f" ({where})" if where else "")
    return ""


def breaks_much() -> bool:
    """Return whether something was replaced by what is of no use in its place."""
    for (module, name), instead in _replaced.items():
        if module is sys:
            continue
        kept = _KEPT[module].get(name, breaks_much)
        if callable(kept) and not callable(instead):
            return True
        # `isinstance` takes no function.
        is_class = module is builtins and isinstance(kept, type)
        if is_class and not isinstance(instead, type):
            return True
    return False


def are_builtins() -> bool:
    """Return whether something in `builtins` was replaced, which breaks much."""
    return any(module is builtins for module, _ in _replaced)


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
