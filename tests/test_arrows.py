"""Who uses whom: no import runs up, and none makes a cycle."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.paths import ROOT

# What `pip install .` gives to other programs.
INSTALLED = {"stormy_demo", "loopfilm", "trequests", "tornalet"}
# What each room may use, of all rooms. Tests use everything, and nothing uses them.
MAY_USE = {
    "tornalet": set(),
    "trequests": {"tornalet"},
    "loopfilm": set(),
    "stormy_demo": INSTALLED,
    "classroom": INSTALLED,
    "exercises": {"classroom", *INSTALLED},
    "tools": set(),
    "slides": {"classroom", "tools", *INSTALLED},
    "benchmarks": {"classroom", "tools", "slides", *INSTALLED},
    "notebooks": {"classroom", *INSTALLED},
    "workshop": {"tools"},
}
ROOMS = {*MAY_USE, "tests"}


def is_answer(path: Path) -> bool:
    """Whether it is a cell that somebody wrote, and no module of ours."""
    return path.name == "solution.py" or path.parent.name in ("wrong", "right")


def modules() -> dict[str, Path]:
    """The file of each module, by its dotted name."""
    files = [
        ROOT / "workshop.py",
        *(p for room in MAY_USE for p in (ROOT / room).rglob("*.py")),
    ]
    names = {}
    for path in files:
        if not is_answer(path) and "node_modules" not in path.parts:
            parts = path.relative_to(ROOT).with_suffix("").parts
            names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


MODULES = modules()


def imports(source: str, package: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each module that is imported anywhere in some code, with what is taken from it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: 1 - node.level or None] if node.level else []
            yield ".".join(filter(None, [*above, node.module])), [a.name for a in node.names]


def used_by(name: str) -> set[str]:
    """The modules of the project that a module imports."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    used = set()
    for module, names in imports(path.read_text(encoding="utf-8"), package):
        inside = {f"{module}.{each}" for each in names} & MODULES.keys()
        # A package of which only modules are taken is not itself what is used.
        used |= inside if inside and len(inside) == len(names) else {module, *inside}
    return {each for each in used if each in MODULES or each.split(".")[0] == "tests"}


def named_in_strings(name: str) -> set[str]:
    """The rooms that a module asks for by a name in quotes, as in `import_module("x.y")`."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        match node:
            case ast.Call(args=[ast.Constant(value=str(text)), *_]):
                asks = ast.unparse(node.func).split(".")[-1]
                if asks in ("import_module", "files", "__import__"):
                    found.add(text.split(".")[0])
    return found & ROOMS


def code_of(notebook: Path) -> str:
    """The code of a notebook, without the lines of magics, and what else is no Python."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return "\n".join(
        re.sub(r"^\s*[%!].*", "", source, flags=re.MULTILINE) for source in sources
    )


@pytest.mark.parametrize("room", MAY_USE)
def test_no_import_runs_up(room: str) -> None:
    found = {
        (name, used)
        for name in MODULES
        if name.split(".")[0] == room
        for used in used_by(name)
        if used.split(".")[0] not in {room, *MAY_USE[room]}
    }
    found |= {
        (name, used)
        for name in MODULES
        if name.split(".")[0] == room
        for used in named_in_strings(name) - {room, *MAY_USE[room]}
    }
    assert not found


@pytest.mark.parametrize(
    "notebook",
    [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "slides").glob("*.ipynb")],
    ids=lambda path: path.stem,
)
def test_no_import_of_a_notebook_runs_up(notebook: Path) -> None:
    used = {module.split(".")[0] for module, _ in imports(code_of(notebook))}
    assert used & ROOMS <= MAY_USE["notebooks"]


def test_no_import_makes_a_circle() -> None:
    """What is imported late counts too."""
    TopologicalSorter({name: used_by(name) & MODULES.keys() for name in MODULES}).prepare()


def test_the_rooms_are_those_that_there_are() -> None:
    with_modules = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert with_modules == ROOMS - {"notebooks", "workshop"}


class TestTheReadingOfImports:
    """Without it, the tests above would pass for want of arrows."""

    def test_sees_arrows_that_are_there(self) -> None:
        assert "stormy_demo.task" in used_by("stormy_demo.coroutines")
        assert "trequests" in used_by("stormy_demo.greenlets")
        assert "trequests.engines.outside" in used_by("trequests.engines.sockets.polite")
        assert "tools.copies" in used_by("workshop")

    def test_sees_what_is_asked_for_in_quotes(self) -> None:
        assert named_in_strings("slides.paths") == {"slides"}

    def test_resolves_what_is_relative(self) -> None:
        source = "from . import a\nfrom .b import c\nfrom ..d import e\nimport f.g"
        assert [*imports(source, "x.y")] == [
            ("x.y", ["a"]),
            ("x.y.b", ["c"]),
            ("x.d", ["e"]),
            ("f.g", []),
        ]

    def test_sees_late_imports(self) -> None:
        assert [*imports("def f():\n    import g")] == [("g", [])]
