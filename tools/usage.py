"""What the verbs take, so that a wrong word is told before anything is installed for it.

Standard library only: what these parsers are for may not be installed yet.
"""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

from tools import benches
from tools.paths import ROOT
from tools.reading import tree
from tools.trouble import Misuse

# Where notebooks are, in their order.
ROOMS = ("notebooks", "slides")


def sentences(module: str) -> dict[str, str]:
    """Return what the functions of a module say of themselves, by their names.

    Args:
        module: its file, which is read, since `python3 -OO` runs it without its docstrings.
    """
    functions = [node for node in tree(Path(module)).body if isinstance(node, ast.FunctionDef)]
    return {each.name: ast.get_docstring(each) or "" for each in functions}


def of_lab() -> argparse.ArgumentParser:
    """Return the parser of `lab`, which leaves to JupyterLab what it does not know."""
    parser = argparse.ArgumentParser(
        prog="workshop.py lab",
        allow_abbrev=False,
        description="Open the notebooks in JupyterLab, as copies in work/.",
        epilog="More options go to JupyterLab, which lists them at `lab --help-all`.",
    )
    parser.add_argument("--fresh", metavar="NAME", help="add a clean copy of a notebook")
    parser.add_argument(
        "--committed", action="store_true", help="open notebooks/ itself, with all answers"
    )
    return parser


def of_check() -> argparse.ArgumentParser:
    """Return the parser of `check`, which takes nothing."""
    return argparse.ArgumentParser(
        prog="workshop.py check", description="Say whether this machine is ready for the day."
    )


def of_stick() -> argparse.ArgumentParser:
    """Return the parser of `stick`."""
    parser = argparse.ArgumentParser(
        prog="workshop.py stick",
        description="Make a folder, for a USB stick, from which lab starts without a network: "
        "the kit, and its packages for Linux, macOS and Windows.",
        epilog="Called again, it adds what is missing.",
    )
    parser.add_argument(
        "folder", metavar="FOLDER", type=_folder, help="where: a folder that is new or empty"
    )
    return parser


def _folder(name: str) -> Path:
    return Path(name).expanduser().resolve()


def of_slides() -> argparse.ArgumentParser:
    """Return the parser of `slides`."""
    parser = argparse.ArgumentParser(
        prog="workshop.py slides",
        description="Build the deck, and the pages beside it, in slides/build/.",
    )
    parser.add_argument(
        "--output", type=_deck, metavar="PATH", help="build the deck alone, and there"
    )
    parser.add_argument("--pdf", action="store_true", help="print the deck, too")
    parser.add_argument(
        "--notes", action="store_true", help="print the slides with their notes"
    )
    parser.add_argument(
        "--speaker",
        metavar="NAME",
        help='who gives the talk; or have name = "..." in slides/speaker.toml',
    )
    parser.add_argument("--check", action="store_true", help="look at each slide in a browser")
    return parser


def _deck(name: str) -> Path:
    path = Path(name)
    if path.suffix == ".pdf":
        raise argparse.ArgumentTypeError(
            f"{path.name} is the name of a PDF: a deck is a page, such as talk.html"
        )
    return path


def of_refresh() -> argparse.ArgumentParser:
    """Return the parser of `refresh`."""
    parser = argparse.ArgumentParser(
        prog="workshop.py refresh", description="Run the notebooks in place."
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail if a run differs"
    )
    parser.add_argument("notebook", nargs="*", type=_notebook)
    return parser


def _notebook(name: str) -> Path:
    path = (ROOT / name).resolve()
    if not path.exists():
        # By its name alone, as `--fresh` takes it.
        file = f"{name.removesuffix('.ipynb')}.ipynb"
        found = [here for room in ROOMS if (here := ROOT / room / file).is_file()]
        path = found[0] if found else path
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no notebook {name}")
    if path.suffix != ".ipynb":
        raise argparse.ArgumentTypeError(f"{name} is no notebook: its name ends in .ipynb")
    return path


def of_bench() -> argparse.ArgumentParser:
    """Return the parser of `bench` without a name: a benchmark has options of its own."""
    parser = argparse.ArgumentParser(
        prog="workshop.py bench",
        usage="workshop.py bench [-h] [--quick] | NAME [OPTIONS]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure things side by side, and keep tables of ratios in\n"
        "benchmarks/results/. Without NAME all benchmarks are run, one after another.",
        epilog=f"NAME is one of:\n\n{benches.listing()}\n\n"
        "`bench NAME --help` says what it measures, and its options.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="run each in its quick way, which keeps nothing"
    )
    return parser


def look_at_tests(arguments: list[str]) -> None:
    """Refuse files of tests that there are not.

    Args:
        arguments: those of pytest. Behind an option a word may be its value, so only those in
            front of all options are known to be files.

    Raises:
        Misuse: there is no such file or folder.
    """
    for word in arguments:
        if word.startswith(("-", "@")) or "--pyargs" in arguments:
            return
        file = word.partition("::")[0].partition("[")[0]
        if not (ROOT / file).exists():
            raise Misuse(f"there is nothing to test at '{file}'.")


def look_at_options(benchmark: Path, arguments: list[str]) -> None:
    """Refuse an option that a benchmark does not have.

    Args:
        benchmark: its module, which is read and not imported.
        arguments: what it is to be given.

    Raises:
        Misuse: it reads its options with a parser, which has no such option.
    """
    calls = [
        node
        for node in ast.walk(ast.parse(benchmark.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    if not any(isinstance(call.func, ast.Name) and call.func.id == "parser" for call in calls):
        return
    known = [
        str(name.value)
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
        for name in call.args
        if isinstance(name, ast.Constant)
    ]
    for word in arguments:
        option = word.partition("=")[0]
        # A parser takes the beginning of an option for it.
        if option.startswith("--") and not any(
            name.startswith(option) for name in (*known, "--help")
        ):
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise Misuse(f"the benchmark {benchmark.stem} has no option '{option}': {has}.")
