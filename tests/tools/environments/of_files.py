"""Files of the person's that have the name of a library."""

from __future__ import annotations

from .row import Place, Row

MINE = "raise SystemExit('this is mine')\n"
NAMED = "in this folder has the name of a library: rename it"


def beside_the_door(place: Place) -> None:
    """Lay what the door itself would import, each as a module of the person's own."""
    for name in ("argparse", "contextlib", "random", "socket", "subprocess", "types"):
        place.write(f"{name}.py", MINE)


def before_set_up(place: Place) -> None:
    """Lay one, and have Python be strict and leave asserts out."""
    place.write("random.py", MINE)
    place.environment |= {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error"}


def beside_lab(place: Place) -> None:
    """Lay what JupyterLab and Tornado import."""
    for name in ("asyncio", "json", "jupyterlab", "tornado", "traitlets"):
        place.write(f"{name}/__init__.py", MINE)


def everywhere(place: Place) -> None:
    """Lay one beside the door, and others beside the notebooks."""
    place.write("tornado.py", MINE)
    for name in ("queue", "requests", "tools"):
        place.write(f"work/{name}.py", MINE)


ROWS = [
    Row(
        what="random.py, types.py, socket.py and others of one's own beside workshop.py",
        sees="Open the notebooks in JupyterLab",
        lay=beside_the_door,
        do=("--help",),
        absent="mine",
    ),
    Row(
        what="a random.py of one's own beside workshop.py, `PYTHONOPTIMIZE=2` and "
        "`PYTHONWARNINGS=error`, at the first set-up",
        sees="measured []",
        lay=before_set_up,
        do=("bench", "styles"),
        small=True,
        absent="mine",
    ),
    Row(
        what="folders of one's own named json, asyncio and tornado beside workshop.py",
        sees="4.",
        lay=beside_lab,
        do=("lab", "--version"),
        absent="mine",
    ),
    Row(
        what="tornado.py beside workshop.py, and requests.py in work/",
        sees=f"attention  tornado.py {NAMED}\nattention  work/queue.py {NAMED}\n",
        lay=everywhere,
        absent="mine",
    ),
]
