"""A home that is not there, and folders for what programs keep that lead nowhere."""

from __future__ import annotations

from pathlib import Path

from .row import Place, Row

READY = "This machine is ready for the day."
XDG = ("CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "STATE_HOME", "RUNTIME_DIR")


def homeless(place: Place, home: str | Path) -> None:
    """Set the home, and what else says where it is."""
    place.environment |= {"HOME": str(home), "USERPROFILE": str(home)}


def below_a_file(place: Place) -> Path:
    """Return a folder that nobody can make, root neither."""
    return place.write(place.spare / "file") / "folder"


def unset(place: Place) -> None:
    code = "import os, runpy, sys; del os.environ['HOME']; sys.argv[:1] = []; "
    place.python += ["-c", code + "runpy.run_path('workshop.py', run_name='__main__')"]


def nowhere(place: Place) -> None:
    folder = below_a_file(place)
    homeless(place, folder)
    place.environment |= {f"XDG_{name}": str(folder) for name in XDG}


def no_temporary_folder(place: Place) -> None:
    folder = str(below_a_file(place))
    place.environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder)


ROWS = [
    Row(
        what="a home that cannot be made, and XDG folders neither",
        sees=READY,
        lay=nowhere,
    ),
    Row(
        what="a home that cannot be made, when set-up would keep there what it fetches",
        sees="measured []",
        lay=nowhere,
        do=("bench", "styles"),
        absent="Installing with pip",
        small=True,
    ),
    Row(
        what="no home in the environment",
        sees=READY,
        lay=unset,
        systems=("linux", "darwin"),
    ),
    Row(
        what="the home of a service, /",
        sees=READY,
        lay=lambda place: homeless(place, "/"),
        systems=("linux", "darwin"),
    ),
    Row(
        what="a folder for temporary files that is not there",
        sees=READY,
        lay=no_temporary_folder,
    ),
]
