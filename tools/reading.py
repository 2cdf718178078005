"""Modules that are read, and not imported, for what they say of themselves.

Standard library only.
"""

from __future__ import annotations

import ast
from pathlib import Path


def tree(module: Path) -> ast.Module:
    """Return the syntax tree of a module, with its docstrings.

    Args:
        module: its file.

    Raises:
        SyntaxError: it is no Python.
    """
    # `ast.parse` leaves the docstrings out where Python 3.15 itself runs with -OO.
    source = module.read_bytes()
    read = compile(
        source, str(module), "exec", ast.PyCF_ONLY_AST, dont_inherit=True, optimize=0
    )
    assert isinstance(read, ast.Module)
    return read
