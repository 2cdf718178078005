"""Fresh copies of the whole kit, with the files that a clone or a zip of it has."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.houses import BASE, environment
from tests.paths import ROOT

# The door's own set-up, but for the installers.
BORROW = """
import shutil, sys, sysconfig, venv
from pathlib import Path
from tools import set_up

def make_venv():
    venv.create(set_up.VENV, clear=True, symlinks=sys.platform != "win32")

def install(*_):
    prefix, packages = sys.argv[1:]
    for folder in ("share", "etc"):
        shutil.copytree(Path(prefix, folder), set_up.VENV / folder, dirs_exist_ok=True)
    site = sysconfig.get_path("purelib", "venv", {"base": str(set_up.VENV)})
    Path(site, "packages.pth").write_text(packages, encoding="utf-8")

set_up.make_venv, set_up.install = make_venv, install
set_up.set_up(set_up.ALL)
"""


def fresh_copy(folder: Path) -> Path:
    """Copy the kit without what it makes and keeps here, which .gitignore names."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    made = [line.strip("/").rpartition("/")[2] for line in lines if line[:1] not in ("", "#")]
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", *made))
    return folder


def borrowed(folder: Path) -> Path:
    """A fresh copy that is set up with the packages of the Python that runs these tests.

    Of a folder that a .pth file names no .pth file is read: the checkout stays out of sight.
    """
    copy = fresh_copy(folder)
    subprocess.run(
        [BASE, "-c", BORROW, sys.prefix, sysconfig.get_path("purelib")],
        cwd=copy,
        env=environment(),
        check=True,
    )
    return copy
