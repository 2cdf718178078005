"""Variables that Python looks at, and options that the door is started with."""

from __future__ import annotations

from collections.abc import Callable

from .row import Place, Row

VERB = "Open the notebooks in JupyterLab"
MINE = "raise SystemExit('this is mine')\n"


def variables(**changes: str) -> Callable[[Place], None]:
    """Return what sets these."""

    def lay(place: Place) -> None:
        place.environment |= changes

    return lay


def options(*words: str) -> Callable[[Place], None]:
    """Return what starts the door's Python with these."""

    def lay(place: Place) -> None:
        place.python += words

    return lay


def path_of_old(place: Place) -> None:
    """Lead Python to a folder with modules that it has by itself today."""
    for name in ("argparse", "asyncio", "difflib", "tomllib"):
        (place.spare / f"{name}.py").write_text(MINE)
    place.environment["PYTHONPATH"] = str(place.spare)


def start_up(place: Place) -> None:
    """Lay a file that Python runs first where it is interactive, as a kernel of IPython is."""
    file = place.spare / "start_up.py"
    file.write_text(MINE)
    changes = variables(
        PYTHONSTARTUP=str(file),
        PYTHONASYNCIODEBUG="1",
        PYTHONDEVMODE="1",
        PYTHONOPTIMIZE="2",
        PYTHONUNBUFFERED="1",
        PYTHONWARNINGS="error",
    )
    changes(place)


def strictly(place: Place) -> None:
    """Have Python warn of what it likes to, and make an error of each warning."""
    options("-X", "dev", "-W", "error")(place)
    place.environment["PYTHONWARNDEFAULTENCODING"] = "1"


def no_cache(place: Place) -> None:
    """Send what Python compiles to where a file is in the way."""
    file = place.spare / "file"
    file.touch()
    place.environment["PYTHONPYCACHEPREFIX"] = str(file / "cache")


ROWS = [
    Row(
        what="`PYTHONSTARTUP`, `PYTHONOPTIMIZE=2`, `PYTHONASYNCIODEBUG=1`, `PYTHONDEVMODE=1` "
        "and `PYTHONWARNINGS=error` at once",
        sees="ok         lab: JupyterLab starts, and a notebook runs a cell",
        lay=start_up,
        absent="mine",
    ),
    Row(
        what="`PYTHONPATH` to a folder with an argparse.py of long ago",
        sees="4.",
        lay=path_of_old,
        do=("lab", "--version"),
        absent="mine",
    ),
    Row(what="`python3 -O`", sees=VERB, lay=options("-O"), do=("--help",)),
    Row(what="`python3 -OO`", sees=VERB, lay=options("-OO"), do=("--help",)),
    Row(
        what="`python3 -X dev -W error`, and `PYTHONWARNDEFAULTENCODING=1`",
        sees="4.",
        lay=strictly,
        do=("lab", "--version"),
    ),
    Row(what="`PYTHONSAFEPATH=1`", sees=VERB, lay=variables(PYTHONSAFEPATH="1"), do=()),
    Row(
        what="`PYTHONIOENCODING=ascii` and `PYTHONUTF8=0`, and letters beyond it in the path",
        sees="4.",
        lay=variables(PYTHONIOENCODING="ascii", PYTHONUTF8="0"),
        do=("lab", "--version"),
    ),
    Row(
        what="`PYTHONPYCACHEPREFIX` to a folder that cannot be made",
        sees=VERB,
        lay=no_cache,
        do=("--help",),
    ),
]
