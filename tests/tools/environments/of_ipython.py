"""What people have in the IPython of their home."""

from __future__ import annotations

from pathlib import Path

from .row import Place, Row

WORKS = "ok         lab: JupyterLab starts, and a notebook runs a cell"
START_UP = """\
import logging
logging.basicConfig(level=logging.DEBUG)
import nest_asyncio
nest_asyncio.apply()
raise SystemExit("this is mine")
"""
SETTINGS = """\
c = get_config()
c.InteractiveShell.autoawait = False
c.InteractiveShell.ast_node_interactivity = "all"
c.InteractiveShellApp.extensions = ["not_installed_here"]
c.InteractiveShellApp.exec_lines = ["raise SystemExit('this is mine')"]
c.Application.log_level = "DEBUG"
"""


def profile(folder: Path) -> None:
    """Lay what people have read in a blog."""
    default = folder / "profile_default"
    (default / "startup").mkdir(parents=True)
    (default / "startup" / "00-mine.py").write_text(START_UP)
    for name in ("ipython_config.py", "ipython_kernel_config.py"):
        (default / name).write_text(SETTINGS)


def in_the_home(place: Place) -> None:
    """Give the person a home with such a profile, and let a variable name it, too."""
    profile(place.spare / ".ipython")
    place.environment["IPYTHONDIR"] = str(place.spare / ".ipython")
    place.environment |= {"HOME": str(place.spare), "USERPROFILE": str(place.spare)}


ROWS = [
    Row(
        what="an IPython with a start-up file that applies nest_asyncio, `autoawait = False`, "
        "and an extension that is not installed; `IPYTHONDIR`",
        sees=WORKS,
        lay=in_the_home,
    ),
]
