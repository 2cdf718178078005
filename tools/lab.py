"""JupyterLab as `lab` starts it: with what is in `.venv`, whatever else this machine has.

    python -m tools.lab PAGE [OPTIONS OF JUPYTERLAB]

This runs on the Python of `.venv`, in the environment of `tools/environment.py`. What is set
here are defaults: an option wins, and so does a file that `--config` names.
"""

from __future__ import annotations

import gc
import os
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

from jupyter_core import paths
from traitlets.config import Config

from tools.paths import ROOT

# Attendees have use for a terminal. What else comes with JupyterLab speaks to servers of
# programming languages, which we do not bring, or to the notebook of ten years ago.
EXTENSIONS = {"jupyter_server_terminals": True}
# Its page does without these servers too, and does not ask whether it has to be built.
SETTINGS = ROOT / "tools" / "jupyter"


def defaults(page: Path) -> Config:
    """Return what JupyterLab does if nobody tells it otherwise.

    Args:
        page: the notebook to open, below ROOT; where there is none, its folder is shown.
    """
    shown = (page if page.is_file() else page.parent).relative_to(ROOT)
    config = Config()
    # Not localhost: what that is, a file of the machine says.
    config.ServerApp.ip = "127.0.0.1"
    config.ServerApp.root_dir = str(ROOT)
    config.ServerApp.allow_root = sys.platform != "win32" and os.geteuid() == 0
    config.LabApp.default_url = f"/lab/tree/{quote(shown.as_posix())}"
    # The manager of extensions would ask the index, and install into `.venv`.
    config.LabApp.extension_manager = "readonly"
    return config


def load() -> tuple[ModuleType, ModuleType]:
    """Import JupyterLab, in less than half of the time that it takes by itself.

    Returns:
        Its module with the application, and that with the server.
    """
    # What is imported never becomes garbage, neither now nor when the process ends.
    gc.disable()
    from jupyterlab import commands  # type: ignore[import-untyped]

    # Where Node is installed, the next import would start it, to have Yarn tell its registry,
    # from which nothing is fetched here.
    commands._yarn_config = lambda _logger: {"yarn config": {}, "npm config": {}}
    from jupyter_server import serverapp
    from jupyterlab import labapp

    gc.freeze()
    gc.enable()
    return labapp, serverapp


def main() -> None:
    """Start JupyterLab, and return when it has ended."""
    page, *options = sys.argv[1:]
    labapp, serverapp = load()
    # No variable of the environment keeps out what is set for the whole machine.
    paths.SYSTEM_CONFIG_PATH[:] = [str(SETTINGS)]
    paths.SYSTEM_JUPYTER_PATH.clear()
    lab, make = labapp.LabApp, serverapp.ServerApp.instance
    lab.serverapp_config = {"jpserver_extensions": EXTENSIONS}
    lab.make_serverapp = partial(make, config=defaults(Path(page)))
    lab.launch_instance(options)


if __name__ == "__main__":
    main()
