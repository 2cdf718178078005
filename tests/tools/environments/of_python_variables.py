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
    for name in ("argparse", "contextlib", "dataclasses", "enum", "typing"):
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


ROWS = [
    Row(
        what="`PYTHONSTARTUP`, `PYTHONOPTIMIZE=2`, `PYTHONASYNCIODEBUG=1`, `PYTHONDEVMODE=1` "
        "and `PYTHONWARNINGS=error` at once",
        sees="ok         lab: JupyterLab starts, and a notebook runs a cell",
        lay=start_up,
        absent="mine",
    ),
    Row(
        what="`PYTHONPATH` to a folder with an old enum.py and typing.py",
        sees="measured []",
        lay=path_of_old,
        do=("bench", "styles"),
        small=True,
        absent="mine",
    ),
    Row(what="`python3 -O`", sees=VERB, lay=options("-O"), do=("--help",)),
    Row(what="`python3 -OO`", sees=VERB, lay=options("-OO"), do=("--help",)),
    Row(
        what="`python3 -X dev -W error`",
        sees="4.",
        lay=options("-X", "dev", "-W", "error"),
        do=("lab", "--version"),
    ),
    Row(what="`PYTHONSAFEPATH=1`", sees=VERB, lay=variables(PYTHONSAFEPATH="1"), do=()),
    Row(
        what="`PYTHONIOENCODING=ascii`, and letters beyond it in the path",
        sees="4.",
        lay=variables(PYTHONIOENCODING="ascii", PYTHONUTF8="0"),
        do=("lab", "--version"),
    ),
    Row(
        what="`PYTHONWARNDEFAULTENCODING=1` and `PYTHONWARNINGS=error`",
        sees="4.",
        lay=variables(PYTHONWARNDEFAULTENCODING="1", PYTHONWARNINGS="error"),
        do=("lab", "--version"),
    ),
    Row(
        what="`PYTHONPYCACHEPREFIX` to a folder that cannot be made, `PYTHONHASHSEED=0` and "
        "`PYTHONTRACEMALLOC=1`",
        sees="4.",
        lay=lambda place: variables(
            PYTHONPYCACHEPREFIX=str(place.write("file", "") / "cache"),
            PYTHONHASHSEED="0",
            PYTHONTRACEMALLOC="1",
        )(place),
        do=("lab", "--version"),
    ),
]
