"""Is this machine ready for the day? In plain words, with what to do."""

from __future__ import annotations

import re
import shutil
import socket
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.copies import FIRST, look_for_room, newest
from tools.environment import of_children
from tools.locks import ALL, CORE
from tools.machine import allow_open_files, find_chromium, in_words
from tools.namesakes import namesakes
from tools.paths import PYTHON, ROOT
from tools.set_up import MEGABYTES, alone, is_ready, set_up
from tools.steps import quietly
from tools.trouble import Trouble

# A state, and what is to be said; what is in front of the colon is a name for it.
Finding = tuple[str, str]


def report() -> bool:
    """Print what was found, and return whether the machine is ready.

    The last line says all that somebody needs who is sent this line alone.
    """
    problems = []
    for state, text in findings():
        print(f"{state:<10} {text}")
        if state == "problem":
            problems.append(text.partition(":")[0])
    about = f"Stormy Webber {version()}, {in_words()}"
    if problems:
        print(f"{about}; problems: {', '.join(problems)}. This machine is not ready.")
    else:
        print(f"{about}. This machine is ready for the day.")
    return not problems


def version() -> str:
    """Return the version of the kit."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def findings() -> Iterator[Finding]:
    """What `check` looks at, in the order in which things would go wrong."""
    yield "ok", f"Python: {sys.version.split()[0]}"
    yield disk()
    try:
        with alone():
            yield "ok", "folder: can be written to"
        set_up(CORE)
        installed = "ok", "packages: installed"
    except Trouble as trouble:
        installed = "problem", f"set-up: {trouble}"
    yield installed
    for name in namesakes():
        yield "attention", f"{name} in this folder has the name of a library: rename it"
    if not is_ready(ALL):
        yield "ok", "packages for test, slides, refresh, bench: fetched when first asked for"
    yield open_files()
    reached = loopback()
    yield reached
    yield port()
    if installed[0] == reached[0] == "ok":
        yield lab()
    yield (
        ("ok", "Chromium: found")
        if find_chromium()
        else ("attention", "Chromium: not found; browser tests and `slides --pdf` want it")
    )


def disk() -> Finding:
    """Whether there is room for what set-up installs."""
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if is_ready(CORE) or free >= MEGABYTES[CORE]:
        return "ok", f"disk: {free} MB free"
    return "problem", f"disk: {free} MB free: make room for {MEGABYTES[CORE]} MB"


def open_files() -> Finding:
    """Whether a notebook may open as many connections as it does."""
    limit = allow_open_files()
    if limit >= 1024:
        return "ok", "open files: enough are allowed"
    state = "attention" if limit >= 256 else "problem"
    return state, f"open files: {limit} are allowed: say `ulimit -n 1024`, and run this again"


def loopback() -> Finding:
    """Whether programs of this machine reach each other."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as problem:
        cure = "let Python through the firewall of this machine"
        return "problem", f"127.0.0.1: {problem}: {cure}"
    return "ok", "127.0.0.1: a server can listen, and be reached"


def port() -> Finding:
    """Whether the port is free that JupyterLab and the servers of the kit like best."""
    try:
        socket.create_server(("127.0.0.1", 8888)).close()
    except OSError:
        return "attention", "port 8888: taken; JupyterLab takes the next, servers have --port"
    return "ok", "port 8888: free"


def lab() -> Finding:
    """What comes of a trial of `lab`, which opens no browser and leaves nothing behind."""
    try:
        look_for_room()
    except Trouble as trouble:
        return "problem", f"lab: {trouble}"
    started: list[str | Path] = [PYTHON, "-P", "-m", "tools.trial", newest(FIRST)]
    done, output = quietly(started, of_children(STORMY_PREDICT_FIRST="1"))
    if done:
        return "ok", "lab: JupyterLab starts, and a notebook runs a cell"
    what = output.strip().rpartition("\n")[2]
    return "problem", f"lab: {what}: {cure(what)}"


CURES = {
    "No space left": "make room, and run this again",
    "Permission|not permitted|Read-only": "copy the project to a folder of your own, and run "
    "workshop.py there",
    "minutes to start": "end what keeps this machine busy, and run this again",
}


def cure(what: str) -> str:
    """Return what to do about a trial that failed.

    Args:
        what: its last words.
    """
    known = (text for sign, text in CURES.items() if re.search(sign, what))
    again = "delete .venv, and run this again; what JupyterLab said is in .venv/setup.log"
    return next(known, again)
