"""Is this machine ready for the day? In plain words, with what to do."""

from __future__ import annotations

import shutil
import socket
import sys
import tomllib
from collections.abc import Iterator

from tools.machine import allow_open_files, find_chromium, in_words
from tools.set_up import (
    ALL,
    CORE,
    MEGABYTES,
    PYTHON,
    ROOT,
    Trouble,
    alone,
    is_ready,
    quietly,
    set_up,
)


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


def findings() -> Iterator[tuple[str, str]]:
    """What `check` looks at, in the order in which things would go wrong."""
    yield "ok", f"Python: {sys.version.split()[0]}"
    free = shutil.disk_usage(ROOT).free // 1_000_000
    enough = is_ready(CORE) or free >= MEGABYTES[CORE]
    yield (
        ("ok", f"disk: {free} MB free")
        if enough
        else ("problem", f"disk: {free} MB free: make room for {MEGABYTES[CORE]} MB")
    )
    try:
        with alone():
            yield "ok", "folder: can be written to"
        set_up(CORE)
        yield "ok", "packages: installed"
    except Trouble as trouble:
        yield "problem", f"set-up: {trouble}"
    else:
        code = (
            "import tornado, requests, greenlet, jupyterlab, ipykernel, nbconvert, classroom, "
            "stormy_demo"
        )
        done, output = quietly([PYTHON, "-I", "-c", code])
        last = output.strip().rpartition("\n")[2]
        yield (
            ("ok", "packages: tornado, requests, greenlet, jupyterlab can be imported")
            if done
            else ("problem", f"packages: {last}: delete .venv, and run this again")
        )
    if not is_ready(ALL):
        yield "ok", "packages for test, slides, refresh, bench: fetched when first asked for"
    limit = allow_open_files()
    if limit >= 1024:
        yield "ok", "open files: enough are allowed"
    else:
        state = "attention" if limit >= 256 else "problem"
        yield (
            state,
            f"open files: {limit} are allowed: say `ulimit -n 1024`, and run this again",
        )
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
        yield "ok", "127.0.0.1: a server can listen, and be reached"
    except OSError as problem:
        yield (
            "problem",
            f"127.0.0.1: {problem}: let Python through the firewall of this machine",
        )
    try:
        socket.create_server(("127.0.0.1", 8888)).close()
        yield "ok", "port 8888: free"
    except OSError:
        yield "attention", "port 8888: taken; JupyterLab takes the next, servers have --port"
    yield (
        ("ok", "Chromium: found")
        if find_chromium()
        else ("attention", "Chromium: not found; browser tests and `slides --pdf` want it")
    )
