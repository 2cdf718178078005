"""The one door: `python3 workshop.py VERB` sets up what the verb needs, then does its job.

Standard library only. All of this file is what Python 3.6 can parse, so that a newcomer with an
old Python gets the sentence below and not a SyntaxError.
"""

# The module signal takes longer to import.
import _signal  # type: ignore[import-not-found]
import sys

# Told while all of this is imported, Ctrl-C would be answered with a traceback: it waits.
WAITING = []  # type: list[bool]


def wait_for_main(*_):  # type: ignore[no-untyped-def]
    WAITING.append(True)


if __name__ == "__main__" and _signal.getsignal(2) is _signal.default_int_handler:
    _signal.signal(2, wait_for_main)

if sys.version_info < (3, 11):
    import subprocess

    CURE = "install one, and start workshop.py with it."
    # Many systems keep an older Python by its usual name when a newer one is installed.
    for name in [f"python3.{minor}" for minor in (11, 12, 13, 14, 15)]:
        try:
            subprocess.check_output([name, "-c", ""], stderr=subprocess.STDOUT)
        except (OSError, subprocess.CalledProcessError):
            continue
        CURE = f"this machine has one, so say `{name} workshop.py` in its place."
    THIS = ".".join(map(str, sys.version_info[:2]))
    sys.exit(
        f"workshop.py: this is Python {THIS}, and the workshop needs 3.11 or newer: {CURE}"
    )

import os

# By exec(), and on standard input, this is no file: then it is the one in this folder.
if not os.path.isfile(globals().get("__file__", "")):  # noqa: PTH113
    __file__ = "workshop.py"
HERE = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120
if not os.path.isfile(os.path.join(HERE, "tools", "set_up.py")):  # noqa: PTH113, PTH118
    sys.exit(
        "workshop.py: the rest of the kit is not beside it: unpack all of it, and start the "
        "workshop.py in the folder that this gives."
    )

# `python3 -I` leaves the folder of this file out. Where it is looked at first, a random.py
# beside this file is taken for the library, and so is one where PYTHONPATH leads. So the tools
# are found first, once; for all else these folders come last.
PYTHONPATH = filter(None, os.getenv("PYTHONPATH", "").split(os.pathsep))
THEIRS = [os.path.realpath(each) for each in PYTHONPATH]
sys.path.insert(0, HERE)
import tools  # noqa: F401

sys.path.sort(key=lambda at: (os.path.realpath(at) == HERE, os.path.realpath(at) in THEIRS))

import contextlib
import difflib
import errno
import signal
import subprocess
import warnings
from collections.abc import Callable

from tools import console, copies, environment, ready, started, usage
from tools.locks import ALL, CORE
from tools.machine import allow_open_files
from tools.paths import PYTHON, ROOT
from tools.set_up import alone, set_up
from tools.stick import begin
from tools.trouble import Misuse, Trouble

# -- one job -----------------------------------------------------------------------------------


def run(module: str, *arguments: str, **changes: str) -> int:
    """Run a module on the Python of `.venv`, hand signals on to it, and give its exit code.

    Args:
        module: what is run.
        *arguments: what it is given.
        **changes: what its environment has besides.

    Raises:
        KeyboardInterrupt: it was ended by Ctrl-C, and has said nothing.
    """
    env = environment.of_children(**changes)
    command = started.command(PYTHON, module, *arguments)
    started.hold_signals()
    try:
        child = subprocess.Popen(command, cwd=ROOT, **console.of_children(env))
        before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    except BaseException:
        started.let_signals_come()
        raise
    while True:
        # Ctrl-C reaches the child too, and the child decides what it means.
        with contextlib.suppress(KeyboardInterrupt):
            started.let_signals_come()
            console.repeat(child)
            code = child.wait()
            break
    # In a notebook this process goes on.
    signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
    if code in started.INTERRUPTED:
        raise KeyboardInterrupt
    return code if code >= 0 else 128 - code


def lab(arguments: list[str]) -> int:
    """Open the notebooks in JupyterLab, as copies in work/."""
    own, rest = usage.of_lab().parse_known_args(arguments)
    fresh = None if own.fresh is None else copies.file_of(own.fresh)
    set_up(CORE)
    changes: dict[str, str] = {}
    if own.committed:
        page = copies.NOTEBOOKS / (fresh or copies.FIRST)
    else:
        with alone():
            page = copies.make(fresh)
        changes["STORMY_PREDICT_FIRST"] = "1"
    return run("tools.lab", str(page), *rest, **changes)


def check(arguments: list[str]) -> int:
    """Say whether this machine is ready for the day, and what to do if it is not."""
    usage.of_check().parse_args(arguments)
    return 0 if ready.report() else 1


def stick(arguments: list[str]) -> int:
    """Make a folder, for a USB stick, from which lab starts without a network."""
    folder = usage.of_stick().parse_args(arguments).folder
    begin(folder)
    set_up(CORE)
    return run("tools.wheels", str(folder))


def test(arguments: list[str]) -> int:
    """Run everything that must hold: style, types, tests, notebooks, slides, browser."""
    usage.look_at_tests(arguments)
    set_up(ALL)
    # Each file in one process: the cells of a notebook share a kernel, and tests share what is
    # expensive to make. The files come in the order of tests/conftest.py, the longest first.
    # Two processes more than there are processors, since a test waits for half of its time.
    processes = min((os.cpu_count() or 1) + 2, 8)
    spread = f"--numprocesses={processes} --dist=loadfile --no-loadscope-reorder"
    ours = ["-p", "tools.refusals", *spread.split()]
    # The processes that pytest starts are told by a variable.
    return run("pytest", *ours, *arguments, PYTHONSAFEPATH="1")


def slides(arguments: list[str]) -> int:
    """Build the deck and its pages, slides/build/index.html; --pdf, --notes, --check."""
    usage.of_slides().parse_args(arguments)
    set_up(ALL)
    return run("slides", *arguments)


def refresh(arguments: list[str]) -> int:
    """Run the committed notebooks again and keep their outputs; --check only compares."""
    usage.of_refresh().parse_args(arguments)
    set_up(ALL)
    return run("tools.refresh", *arguments)


def bench(arguments: list[str]) -> int:
    """Measure: [NAME] is one of the benchmarks; without it all are run, or with --quick."""
    if not arguments or arguments[0].startswith("-"):
        usage.of_bench().parse_args(arguments)
        set_up(ALL)
        return run("tools.benches", *arguments)
    scripts = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("[!._]*.py"))}
    name, *options = arguments
    if name not in scripts:
        raise Misuse(
            f"there is no benchmark '{name}': bench takes one of {', '.join(scripts)}."
        )
    usage.look_at_options(scripts[name], options)
    set_up(ALL)
    return run(f"benchmarks.{name}", *options)


# -- the door ----------------------------------------------------------------------------------

VERBS: dict[str, Callable[[list[str]], int]] = {
    each.__name__: each for each in (lab, check, stick, test, slides, refresh, bench)
}
PAGE = """\
Stormy Webber: asynchronous Python with Tornado.

  python3 workshop.py VERB [ARGUMENTS]     (on Windows: py workshop.py VERB [ARGUMENTS])

{verbs}

The first run of a verb installs what it needs into .venv, and wants the network for that.
`lab` never overwrites a notebook in work/, and says which of them have a newer version:
`lab --fresh 01_callbacks` adds a clean copy. `lab --committed` opens notebooks/ itself, with
all answers. More arguments go to JupyterLab, pytest, and so on.
"""


def main(arguments: list[str]) -> int:
    """Open the door for one verb; give the exit code."""
    try:
        if signal.getsignal(signal.SIGINT) is wait_for_main:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if WAITING:
            WAITING.clear()
            raise KeyboardInterrupt
        return open_for(arguments)
    except Misuse as misuse:
        print(f"workshop.py: {misuse}", file=sys.stderr)
        return 2
    except Trouble as trouble:
        print(f"workshop.py: {trouble}", file=sys.stderr)
    except OSError as problem:
        if console.is_unread(problem):
            raise
        print(f"workshop.py: {describe(problem)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nworkshop.py: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 1


def open_for(arguments: list[str]) -> int:
    """Do what the words ask for, or say what there is; give the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        said = usage.sentences(__file__)
        lines = (f"  {name:<9} {said[name]}" for name in VERBS)
        print(PAGE.format(verbs="\n".join(lines)).rstrip())
        if not arguments:
            console.stay()
        return 0
    name, *rest = arguments
    if name not in VERBS:
        near = difflib.get_close_matches(name, VERBS, 1)
        hint = f"did you mean {near[0]}?" if near else f"take one of {', '.join(VERBS)}."
        raise Misuse(f"there is no verb '{name}': {hint}")
    allow_open_files()
    return VERBS[name](rest)


def describe(problem: OSError) -> str:
    """The sentence for what the operating system refused."""
    if problem.errno == errno.ENOSPC:
        return "the disk is full: make room, and run this again."
    what = f"{problem.filename}: {problem.strerror}" if problem.filename else str(problem)
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what}: copy the project to a folder of your own, and run workshop.py there."
    if problem.errno == errno.ENAMETOOLONG:
        return f"{what}: move the folder to a shorter path, and run workshop.py there."
    return f"{what}: put that right, and run this again."


if __name__ == "__main__":
    # A warning about this program, or the error that PYTHONWARNINGS makes of it, helps nobody.
    with console.kept(), warnings.catch_warnings(action="ignore"):
        sys.exit(main(sys.argv[1:]))
