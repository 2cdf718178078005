"""What the programs of the kit are told by their environment, whatever the user's says.

Standard library only, since this runs before there is anything else.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys

from tools import proxies
from tools.own_kernel import IPYTHON
from tools.paths import PYTHON, STAMP, VENV

# All that Python itself looks at begins with its name. It would take asserts away, make
# asyncio say more, run a file of the person's first, or look for modules elsewhere. Without
# bytecode each process would compile anew what it imports: JupyterLab starts in twice the
# time, and a check takes half as long again.
PYTHONS_OWN = "PYTHON"
# What Jupyter, and the libraries that it is made of, look at. It leads to somebody's files,
# or to another server, or ends a program if its value is not one that is known.
JUPYTERS_OWN = (
    *("JUPYTER", "JPY_", "JP_LSP_", "IPYTHON", "IPYKERNEL_", "KERNEL_", "GATEWAY_"),
    *("NBCONVERT_", "NBFORMAT_", "TRAITLETS_", "PYZMQ_"),
)
# It finds what it reads, and keeps what it writes, in `.venv`: what a person has set for other
# work changes nothing here, and what somebody chooses in our JupyterLab stays with the kit.
JUPYTER = {
    "JUPYTER_PREFER_ENV_PATH": "1",
    "JUPYTER_CONFIG_DIR": str(VENV / "etc" / "jupyter"),
    "JUPYTER_DATA_DIR": str(VENV / "share" / "jupyter"),
    "JUPYTER_RUNTIME_DIR": str(VENV / "share" / "jupyter" / "runtime"),
    "IPYTHONDIR": str(VENV / IPYTHON),
}
FOREIGN = {
    "PIP_TARGET",
    "PIP_PREFIX",
    "PYTEST_ADDOPTS",
    "PYTEST_PLUGINS",
    "MYPYPATH",
    "STORMY_PREDICT_FIRST",
    "_ARGCOMPLETE",
}


def of_children(**changes: str) -> dict[str, str]:
    """Return the environment of what runs on the Python of `.venv`.

    Args:
        **changes: what it has besides.
    """
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in FOREIGN and not name.startswith((PYTHONS_OWN, *JUPYTERS_OWN))
    }
    env["PATH"] = str(PYTHON.parent) + os.pathsep + env.get("PATH", os.defpath)
    env["VIRTUAL_ENV"] = str(VENV)
    env |= JUPYTER | changes
    if os.path.expanduser("~") == "~":  # noqa: PTH111
        # Somebody without a home, as in a container: Jupyter would not start.
        env |= dict.fromkeys(("HOME", "USERPROFILE"), str(VENV))
    if keeps_no_modes():
        env["JUPYTER_ALLOW_INSECURE_WRITES"] = "1"
    return proxies.told(env)


def keeps_no_modes() -> bool:
    """Return whether `.venv` is where files have no modes of their own, as on a stick.

    There all files look executable. Jupyter would refuse to write what others may read.
    """
    with contextlib.suppress(OSError):
        return sys.platform != "win32" and bool(STAMP.stat().st_mode & stat.S_IXUSR)
    return False
