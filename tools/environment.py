"""What the programs of the kit are told by their environment, whatever the user's says.

Standard library only, since this runs before there is anything else.
"""

from __future__ import annotations

import os

from tools.set_up import PYTHON, VENV

# Without bytecode each process would compile anew what it imports: JupyterLab starts in twice
# the time, and a check takes half as long again.
FOREIGN = {
    "PYTHONPATH",
    "PYTHONHOME",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PYTHONDONTWRITEBYTECODE",
    "STORMY_PREDICT_FIRST",
}


def of_children(**changes: str) -> dict[str, str]:
    """Return the environment of what runs on the Python of `.venv`.

    Args:
        **changes: what it has besides.
    """
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    env["PATH"] = str(PYTHON.parent) + os.pathsep + env.get("PATH", os.defpath)
    env["VIRTUAL_ENV"] = str(VENV)
    env.update(changes)
    # A kernel named python3 in the user's own folders must not win over the one in .venv.
    env["JUPYTER_PREFER_ENV_PATH"] = "1"
    # Requests between programs of one machine must not go through a proxy.
    theirs = env.get("no_proxy") or env.get("NO_PROXY")
    for name in ("NO_PROXY", "no_proxy"):
        env[name] = ",".join(filter(None, [theirs, "127.0.0.1", "localhost"]))
    return env
