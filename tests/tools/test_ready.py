"""Other people's Jupyter, and what `check` makes of a trial."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tools import environment, ready

PACKAGES = """\
jupyter_core jupyter_client jupyter_events jupyter_server jupyter_server_terminals
jupyterlab jupyterlab_server nbconvert nbformat traitlets ipykernel IPython terminado zmq
"""
LOOKED_AT = re.compile(
    r"""(?:environ(?:\.\w+)?|getenv|envset|env\.get)[\[(]\s*["'](\w+)["']"""
    r"""|_env(?:_name)? ?= ?["'](\w+)["']"""
)
# How a machine is, and not how somebody wants Jupyter to be; or what nothing of ours reads.
HARMLESS = """\
APPDATA PROGRAMDATA CONDA_DEFAULT_ENV CONDA_PREFIX VIRTUAL_ENV PATH pathext SHELL TERM USER
XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_SESSION_TYPE DISPLAY WAYLAND_DISPLAY EDITOR
PAGER LESS ALL_PROXY HTTP_PROXY HTTPS_PROXY http_proxy https_proxy MPLBACKEND QT_API
COMP_LINE COMP_POINT SOURCE_DATE_EPOCH IN_SPHINX_RUN JLAB_BROWSER_TYPE LOG_TERMINAL_OUTPUT
FOO NODEFAULTCURRENTDIRECTORYINEXEPATH
"""


def looked_at() -> set[str]:
    """Return the variables that Jupyter's packages look at."""
    site = Path(sysconfig.get_path("purelib"))
    files = [file for package in PACKAGES.split() for file in (site / package).rglob("*.py")]
    texts = (file.read_text("utf-8") for file in files if "tests" not in file.parts)
    return {one or other for text in texts for one, other in LOOKED_AT.findall(text)}


def test_what_jupyter_looks_at_is_the_kit_s_or_known_to_be_harmless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = looked_at() - {*HARMLESS.split()}
    assert {"JUPYTER_PATH", "JUPYTERLAB_DIR", "JUPYTER_TOKEN", "NBFORMAT_VALIDATOR"} <= names
    for name in names:
        monkeypatch.setenv(name, "theirs")
    assert "theirs" not in environment.of_children().values()


def test_all_folders_of_jupyter_are_in_the_environment_of_the_kit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HOME", "USERPROFILE", "APPDATA", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    code = "from jupyter_core import paths as p; from jupyterlab import commands as c; " + (
        "import json; print(json.dumps([*p.jupyter_path(), *p.jupyter_config_path(), "
        "p.jupyter_runtime_dir(), c.get_app_dir(), c.get_user_settings_dir(), "
        "c.get_workspaces_dir()]))"
    )
    env = environment.of_children()
    said = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True).stdout
    machine = ("/usr/", "/etc/")
    found = [path for path in json.loads(said) if not path.startswith(machine)]
    assert len(found) >= 6
    assert {Path(path).is_relative_to(environment.VENV) for path in found} == {True}


def test_whoever_has_no_home_is_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.of_children().get("HOME") == os.environ.get("HOME")
    # Neither a variable nor the system knows one.
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert environment.of_children()["HOME"] == str(environment.VENV)


def test_where_files_have_no_modes_jupyter_writes_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stamp = tmp_path / "stamp"
    monkeypatch.setattr(environment, "STAMP", stamp)
    assert not environment.keeps_no_modes()
    stamp.touch()
    assert "JUPYTER_ALLOW_INSECURE_WRITES" not in environment.of_children()
    if sys.platform != "win32":
        stamp.chmod(0o777)
        assert environment.of_children()["JUPYTER_ALLOW_INSECURE_WRITES"] == "1"


@pytest.mark.parametrize(
    ("what", "todo"),
    [
        ("OSError: [Errno 28] No space left on device", "make room"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "copy the project"),
        ("it takes more than 5 minutes to start", "end what keeps this machine busy"),
        ("ModuleNotFoundError: No module named 'tornado'", "delete .venv"),
    ],
)
def test_what_fails_has_a_cure_of_its_own(what: str, todo: str) -> None:
    assert ready.cure(what).startswith(todo)
