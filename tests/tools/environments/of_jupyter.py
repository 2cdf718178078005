"""Somebody's own Jupyter, set up for other work."""

from __future__ import annotations

import json
import os

from .mounts import can_mount, within
from .row import Place, Row

STARTS = "ok         lab: JupyterLab starts"
OURS = os.path.join(".venv", "share", "jupyter", "lab")  # noqa: PTH118
ELSEWHERE = "/nowhere/at/all"
# What a configuration of an older or larger Jupyter asks for, and this one does not have.
MANAGERS = """\
c.ServerApp.contents_manager_class = "nowhere.ContentsManager"
c.ServerApp.kernel_manager_class = "nowhere.KernelManager"
c.ServerApp.password = "a password"
c.ServerApp.port = 1
"""
NO_LEVEL = "c.Application.log_level = 'nonsense'\n"


def at_home(place: Place, path: str, text: str) -> None:
    """Write a file of the person's, in a home of its own."""
    place.environment["HOME"] = place.environment["USERPROFILE"] = str(place.spare)
    place.write(place.spare / path, text)


def managers(place: Place) -> None:
    at_home(place, ".jupyter/jupyter_server_config.py", MANAGERS)
    at_home(place, ".jupyter/jupyter_config.py", NO_LEVEL)
    at_home(place, ".jupyter/jupyter_lab_config.py", "import nowhere\n")
    at_home(place, ".jupyter/jupyter_notebook_config.json", '{"NotebookApp": {')


def extensions(place: Place) -> None:
    enabled = {"ServerApp": {"jpserver_extensions": {"nowhere": True}}}
    at_home(place, ".jupyter/jupyter_server_config.json", json.dumps(enabled))
    shared = ".local/share/jupyter"
    at_home(place, f"{shared}/labextensions/broken/package.json", '{"name": ')
    at_home(place, f"{shared}/kernels/python3/kernel.json", '{"argv": ["false"]')


def variables(place: Place) -> None:
    file = place.write(place.spare / "etc" / "jupyter_server_config.py", MANAGERS)
    for name in ("CONFIG_PATH", "CONFIG_DIR"):
        place.environment[f"JUPYTER_{name}"] = str(file.parent)
    place.environment |= {
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_GATEWAY_URL": "http://127.0.0.1:9",
        "JUPYTER_PORT": "70000",
        "JUPYTER_TOKEN_FILE": ELSEWHERE,
        "GATEWAY_WS_PING_INTERVAL_SECS": "often",
        "KERNEL_LAUNCH_TIMEOUT": "late",
        "NBFORMAT_VALIDATOR": "nothing",
        "PYZMQ_BACKEND": "nothing",
        "TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR": "perhaps",
    }


def folders(place: Place) -> None:
    names = ("DATA_DIR", "PATH", "RUNTIME_DIR", "CONFIG_DIR")
    place.environment |= {f"JUPYTER_{name}": ELSEWHERE for name in names}
    for name in ("DIR", "SETTINGS_DIR", "WORKSPACES_DIR"):
        place.environment[f"JUPYTERLAB_{name}"] = ELSEWHERE


def for_the_machine(place: Place) -> None:
    etc = place.spare / "etc"
    place.write(etc / "jupyter" / "jupyter_config.py", NO_LEVEL)
    within(place, f"mount --bind '{etc}' /usr/local/etc")


def without_a_manager(place: Place) -> None:
    place.write(".venv/etc/jupyter/jupyter_server_config.py", MANAGERS)


def without_a_kernel(place: Place) -> None:
    none = {"KernelProvisionerFactory": {"default_provisioner_name": "nowhere"}}
    place.write(".venv/etc/jupyter/jupyter_server_config.json", json.dumps(none))


def with_a_kernel_that_dies(place: Place) -> None:
    dies = "import os, sys; 'ipykernel_launcher' in sys.orig_argv and os._exit(3)"
    [packages] = place.house.glob(".venv/[Ll]ib/**/site-packages")
    place.write(packages / "dies.pth", dies)


ROWS = [
    Row(
        what="a configuration of Jupyter's with managers that are not installed here, and one "
        "with a mistake",
        sees=STARTS,
        lay=managers,
    ),
    Row(
        what="extensions and a kernel of somebody's own that are broken",
        sees=STARTS,
        lay=extensions,
    ),
    Row(
        what="variables that lead Jupyter to another configuration, a gateway and a token",
        sees=STARTS,
        lay=variables,
    ),
    Row(
        what="variables that put Jupyter's folders where there are none",
        sees=OURS,
        lay=folders,
        do=("lab", "path"),
        absent=ELSEWHERE,
    ),
    Row(
        what="a configuration of Jupyter's for the whole machine, with a mistake",
        sees=OURS,
        lay=for_the_machine,
        do=("lab", "path"),
        absent="nonsense",
        systems=("linux",),
        can=can_mount,
    ),
    Row(
        what="a kit whose JupyterLab cannot start",
        sees="problem    lab: JupyterLab ends as soon as it is started: ",
        lay=without_a_manager,
        code=1,
    ),
    Row(
        what="a kit without its kernel",
        sees="problem    lab: POST /api/sessions: ",
        lay=without_a_kernel,
        code=1,
    ),
    Row(
        what="a kit whose kernel ends as soon as it is started",
        sees="problem    lab: a kernel ends as soon as it is started",
        lay=with_a_kernel_that_dies,
        code=1,
    ),
]
