"""Set-up: `.venv` from a lock, with hashes, and the project put on its path.

Standard library only, since this runs before there is anything else.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.machinery
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

from tools import bundled_pip, own_kernel, place
from tools.installers import install, installers_environment
from tools.locks import ALL, CORE, count, digest
from tools.paths import LOCK, PYTHON, ROOT, STAMP, VENV
from tools.steps import quietly, write
from tools.trouble import Trouble
from tools.words import why

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

MEGABYTES = {CORE: 600, ALL: 1500}  # the installers' caches included
# A .venv is good for one kind of Python, because of its compiled packages, and for one folder,
# since its scripts name it.
BUILT_FOR = [importlib.machinery.EXTENSION_SUFFIXES[0], str(ROOT)]


def set_up(lock: str) -> None:
    """Give `.venv` what `lock` asks for, unless it has that already."""
    if is_ready(lock):
        return
    if os.path.lexists(VENV) and not VENV.is_dir():
        raise Trouble("'.venv' is in the way, for it is no folder: move it elsewhere.")
    with alone():
        if not is_ready(lock):
            build(lock)


def is_ready(lock: str) -> bool:
    """Whether a set-up for this lock was finished here, for this Python, and still runs."""
    stamp = read_stamp()
    return stamp[:2] == BUILT_FOR and {digest(lock), own_kernel.DIGEST} <= {*stamp} and runs()


def read_stamp() -> list[str]:
    """What the last set-up to be finished wrote: Python, place, digests of kernel and locks."""
    with contextlib.suppress(OSError, ValueError):
        return STAMP.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return []


def runs() -> bool:
    """Whether the Python of `.venv` starts, and is the kind that this one is."""
    code = "import importlib.machinery as m; print(m.EXTENSION_SUFFIXES[0])"
    try:
        done = subprocess.run([PYTHON, "-I", "-S", "-c", code], capture_output=True, text=True)
    except OSError:
        return False
    return done.stdout.strip() == BUILT_FOR[0]


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one workshop.py at a time at work in this folder.

    The installers inherit the lock: should this process be killed, the next one waits for the
    step that it leaves behind.
    """
    try:
        file = LOCK.open("a")
    except OSError:
        raise Trouble(place.told(LOCK if LOCK.is_file() else ROOT)) from None
    with file:
        if not grab(file.fileno()):
            print("Another workshop.py is at work in this folder; waiting for it ...")
            while not grab(file.fileno()):
                time.sleep(0.2)
        os.set_inheritable(file.fileno(), True)
        yield


def grab(descriptor: int) -> bool:
    """Lock a file, unless another process has it locked."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        # Some network file systems have no locks; there, two at once are not kept apart.
        return problem.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def build(lock: str) -> None:
    """Make `.venv`, or add what it lacks; the stamp comes last, and so tells of an end."""
    place.refuse()
    sound = read_stamp()[:2] == BUILT_FOR and runs()
    STAMP.unlink(missing_ok=True)
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < MEGABYTES[lock]:
        needed = f"set-up needs {MEGABYTES[lock]} MB"
        raise Trouble(
            f"the disk has {free} MB free, and {needed}: make room, and run this again."
        )
    env = installers_environment()
    print(f"Setting up .venv with about {count(lock)} packages ...")
    if not sound:
        make_venv()
    install(lock, env)
    site = sysconfig.get_path("purelib", "venv", {"base": str(VENV)})
    # A relative path is plain ASCII: some Pythons read .pth files in the locale's encoding.
    write(Path(site, "stormy_demo.pth"), os.path.relpath(ROOT, site))
    news = {"fetchNews": "false", "checkForUpdates": False}
    settings = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    write(settings, json.dumps({"@jupyterlab/apputils-extension:notification": news}))
    own_kernel.fit(VENV)
    locks = [CORE, ALL] if lock == ALL else [CORE]
    write(STAMP, "\n".join([*BUILT_FOR, own_kernel.DIGEST, *map(digest, locks)]))


def make_venv() -> None:
    """Make an empty `.venv`, in the place of a broken one if there is one."""
    try:
        import venv  # noqa: F401
    except ImportError:
        raise Trouble(bundled_pip.NONE) from None
    # What needs a pip brings it.
    how = ["--without-pip", "--clear"]
    if sys.platform != "win32" and not place.has_links():
        # venv makes a link named lib64 even so, unless there is something of that name.
        shutil.rmtree(VENV, ignore_errors=True)
        (VENV / "lib64").mkdir(parents=True, exist_ok=True)
        how = ["--without-pip", "--copies"]
    # This may be running on the Python of the very .venv that is to be replaced.
    python = getattr(sys, "_base_executable", None) or sys.executable
    done, output = quietly([python, "-I", "-m", "venv", *how, VENV])
    if not done:
        raise Trouble(
            place.not_ours()
            or why(output, "close what uses .venv, delete it, and run this again")
        )
