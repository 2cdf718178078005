"""The pip that each Python brings for its environments: a wheel, from which it runs as it is.

To install it into `.venv` takes longer than all that uv does there, and uv does not want it. So
it gets into `.venv` only with a lock that names it.

Standard library only, since this runs before there is anything else.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

from tools.paths import PYTHON
from tools.steps import Command, quietly
from tools.trouble import Trouble
from tools.words import why

# Debian and Ubuntu leave out what brings a pip, and not the rest of it.
NONE = (
    "this Python has no venv module: install it (on Debian and Ubuntu the package is "
    "python3-venv), and run this again."
)
OF_VENV: Command = (PYTHON, "-I", "-m", "pip", "--no-input")


def command() -> Command:
    """Return the command of a pip that installs into `.venv`.

    Raises:
        Trouble: there is none.
    """
    if wheel := bundled():
        return (PYTHON, "-I", wheel / "pip", "--no-input")
    install()
    return OF_VENV


def bundled() -> Path | None:
    """Return the wheel of this Python, if it is where most have it."""
    # Linux distributions have it in a folder of their own.
    own = sysconfig.get_config_var("WHEEL_PKG_DIR")
    usual = Path(sysconfig.get_path("stdlib"), "ensurepip", "_bundled")
    folders = [Path(own), usual] if own else [usual]
    return next((wheel for each in folders for wheel in each.glob("pip-*.whl")), None)


def install() -> None:
    """Put pip into `.venv`, unless it is there.

    Raises:
        Trouble: that cannot be done.
    """
    there, _ = quietly([PYTHON, "-I", "-c", "import pip"])
    if there:
        return
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        raise Trouble(NONE) from None
    done, output = quietly([PYTHON, "-I", "-m", "ensurepip", "--default-pip"])
    if not done:
        raise Trouble(why(output))
