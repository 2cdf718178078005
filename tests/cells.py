"""What the cells of a notebook make, read and use: for tests of what comes before what."""

from __future__ import annotations

import ast

from classroom.catalogue import folders


def with_solution(source: str) -> str:
    """A cell, and if it is that of an exercise, the exercise's solution as well."""
    magic, _, answer = source.partition("\n")
    if not magic.startswith("%%exercise "):
        return source
    solution = folders()[magic.removeprefix("%%exercise ")] / "solution.py"
    return f"{answer}\n{solution.read_text(encoding='utf-8')}"


def names_used(source: str) -> set[str]:
    """The names in a cell, also those behind a dot, and its keywords of waiting.

    Imports do not count: a notebook imports at its top what it teaches later.
    """
    if source.startswith("%"):
        source = source.partition("\n")[2]
    used = set()
    tree = compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.keyword(arg=str(name)):
                used.add(name)
            case ast.AsyncFunctionDef():
                used |= {node.name, "async"}
            case ast.AsyncWith() | ast.AsyncFor():
                used.add("async")
            case ast.Await():
                used.add("await")
            case ast.Yield():
                used.add("yield")
            case ast.Attribute():
                used |= {node.attr, ast.unparse(node)}
    return used


def names_made(source: str) -> set[str]:
    """The names that code gives to something, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                found.add(name)
            case ast.arg(arg=name):
                found.add(name)
            case ast.alias(name=name, asname=other):
                found.add(other or name.partition(".")[0])
    return found


def names_read(sources: list[str]) -> set[str]:
    """The names whose value code asks for."""
    nodes = (node for source in sources for node in ast.walk(ast.parse(source)))
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
