"""The one door: `python3 workshop.py VERB` sets up what the verb needs, then does its job.

Standard library only. All of this file is what Python 3.6 can parse, so that a newcomer with an
old Python gets the sentence below and not a SyntaxError.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "workshop.py: this is Python {}.{}, and the workshop needs 3.11 or newer: install one, "
        "and start workshop.py with it.".format(*sys.version_info)
    )

import argparse
import ast
import contextlib
import difflib
import errno
import hashlib
import importlib.machinery
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl
    import resource

ROOT = Path(__file__).resolve().parent
NOTEBOOKS, WORK, VENV = ROOT / "notebooks", ROOT / "work", ROOT / ".venv"
FIRST = "01_callbacks.ipynb"
BIN, EXE = ("Scripts", ".exe") if sys.platform == "win32" else ("bin", "")
PYTHON, UV = VENV / BIN / f"python{EXE}", VENV / BIN / f"uv{EXE}"
STAMP, LOG = VENV / "stormy.stamp", VENV / "setup.log"
CORE, ALL = "requirements.lock", "requirements-all.lock"
MEGABYTES = {CORE: 600, ALL: 1500}  # with what the installers keep in their caches
# Which compiled packages fit, and where scripts point: a .venv is good for these only.
HERE = [importlib.machinery.EXTENSION_SUFFIXES[0], str(ROOT)]
Command = list[str | Path]


class Trouble(Exception):
    """What stands in the way, as one sentence that says what to do."""


# -- set-up ------------------------------------------------------------------------------------


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
    return stamp[:2] == HERE and digest(lock) in stamp and runs()


def read_stamp() -> list[str]:
    """What the last set-up to be finished wrote: Python, place, digests of its locks."""
    with contextlib.suppress(OSError, ValueError):
        return STAMP.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return []


def digest(lock: str) -> str:
    """The SHA-256 of a lock; line endings do not count, since git may change them."""
    return hashlib.sha256(read_lock(lock).encode()).hexdigest()


def read_lock(lock: str) -> str:
    """The text of a lock."""
    return (ROOT / lock).read_text(encoding="utf-8")


def runs() -> bool:
    """Whether the Python of `.venv` starts, and is the kind that this one is."""
    code = "import importlib.machinery as m; print(m.EXTENSION_SUFFIXES[0])"
    try:
        done = subprocess.run([PYTHON, "-I", "-S", "-c", code], capture_output=True, text=True)
    except OSError:
        return False
    return done.stdout.strip() == HERE[0]


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one workshop.py at a time at work in this folder.

    The installers inherit the lock: should this process be killed, the next one waits for the
    step that it leaves behind.
    """
    try:
        file = (ROOT / ".workshop.lock").open("a")
    except OSError:
        raise Trouble(
            f"{ROOT} cannot be written to: copy the project to a folder of your own, and run "
            "workshop.py there."
        ) from None
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
        # Some network file systems have no locks: no reason to keep people from working.
        return problem.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def build(lock: str) -> None:
    """Make `.venv`, or add what it lacks; the stamp comes last, and so tells of an end."""
    sound = read_stamp()[:2] == HERE and runs()
    STAMP.unlink(missing_ok=True)
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < MEGABYTES[lock]:
        needed = f"set-up needs {MEGABYTES[lock]} MB"
        raise Trouble(
            f"the disk has {free} MB free, and {needed}: make room, and run this again."
        )
    count = len(re.findall(r"^\S+==", read_lock(lock), re.MULTILINE))
    print(f"Setting up .venv with about {count} packages ...")
    with tempfile.TemporaryDirectory() as spare:
        # A folder that was moved may be somewhere without a network now: its uv still works.
        uv = Path(shutil.copy2(UV, spare)) if UV.exists() and not sound else UV
        if not sound:
            make_venv()
        install(lock, uv)
    site = sysconfig.get_path("purelib", "venv", {"base": str(VENV)})
    # Relative, and so plain ASCII: some Pythons read .pth files in the locale's encoding.
    write(Path(site, "stormy_demo.pth"), os.path.relpath(ROOT, site))
    news = {"fetchNews": "false", "checkForUpdates": False}
    settings = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    write(settings, json.dumps({"@jupyterlab/apputils-extension:notification": news}))
    locks = [CORE, ALL] if lock == ALL else [CORE]
    write(STAMP, "\n".join(HERE + [digest(each) for each in locks]))


def write(path: Path, text: str) -> None:
    """Write a small file of `.venv`, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8", errors="surrogateescape")


def make_venv() -> None:
    """Make an empty `.venv`, in the place of a broken one if there is one."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Trouble(
            "this Python has no venv module: install it (on Debian and Ubuntu the package is "
            "python3-venv), and run this again."
        ) from None
    # `workshop.py` may be running on the very Python that is to be replaced.
    python = getattr(sys, "_base_executable", None) or sys.executable
    done, output = quietly([python, "-I", "-m", "venv", "--clear", VENV])
    if not done:
        raise Trouble(why(output, "close what uses .venv, delete it, and run this again"))


def install(lock: str, uv: Path) -> None:
    """Install a lock, with hashes and from wheels only: quickly with uv, or else with pip."""
    wheels = ["install", "--require-hashes", "--no-deps", "--only-binary=:all:", "-r"]
    pip: Command = [PYTHON, "-I", "-m", "pip", "--no-input", *wheels]
    fast: Command = ["pip", *wheels, ROOT / lock, "--no-config", "--python", PYTHON]
    only_uv, all_but_uv = VENV / "uv.txt", VENV / "all-but-uv.txt"
    pin = re.search(r"^uv==(\S+).*\n(?: +--hash.*\n)+", read_lock(CORE), re.MULTILINE)
    block, version = (pin[0], pin[1]) if pin else ("", "")
    write(only_uv, block)
    # Not every platform that pip serves has a uv.
    write(all_but_uv, read_lock(lock).replace(block, ""))
    ways: list[Command] = [[*pip, all_but_uv]]
    env = installers_environment()
    if block and "PIP_NO_INDEX" not in env:
        ready, output = quietly([uv, "--version"], env)
        if not (ready and output.startswith(f"uv {version} ")):
            uv = UV
            ready, output = quietly([*pip, only_uv], env)
        if ready:
            # Offline fails in a moment, and needs no network for a second clone.
            ways = [[uv, *fast, "--offline"], [uv, *fast], *ways]
        elif OFFLINE.search(output):
            ways = []
    for way in ways:
        if way[0] is PYTHON:
            print("Installing with pip, which can take some minutes ...")
        done, output = quietly(way, env)
        if done:
            return
    raise Trouble(why(output))


def installers_environment() -> dict[str, str]:
    """The environment for pip and uv: how to reach the index is the user's, all else is ours.

    A mirror, a proxy or a certificate in pip's own settings is the only way out of some
    networks. The rest of those settings (a target folder, constraints, ...) would break set-up.
    """
    ours = ("PIP_", "PYTHON", "UV_", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env.update(PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_RETRIES="2")
    _, listed = quietly([PYTHON, "-I", "-m", "pip", "config", "list"])
    way_out = (
        "[a-z-]*index[a-z-]*|find-links|trusted-host|proxy|cert|client-cert|[a-z-]*timeout|"
        "[a-z-]*cache[a-z-]*|keyring-provider"
    )
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.({way_out})=(.*)$", listed, re.MULTILINE):
            name = f"PIP_{name.upper().replace('-', '_')}"
            env[name] = " ".join(str(ast.literal_eval(value)).split())
    for pips, uvs in (
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST"),
        ("PIP_PROXY", "ALL_PROXY"),
        ("PIP_CERT", "SSL_CERT_FILE"),
    ):
        if pips in env:
            env.setdefault(uvs, env[pips])
    uvs = "UV_(.*INDEX.*|CACHE_DIR|OFFLINE|HTTP_.*|SYSTEM_CERTS|NATIVE_TLS|INSECURE_HOST)"
    return {**env, **{k: v for k, v in os.environ.items() if re.fullmatch(uvs, k)}}


def quietly(command: Command, env: dict[str, str] | None = None) -> tuple[bool, str]:
    """Run one step of set-up; give whether it succeeded, and all that it said."""
    try:
        done = subprocess.run(
            command,
            env=env,
            cwd=ROOT,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as problem:
        return False, str(problem)
    with contextlib.suppress(OSError), LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(map(str, command))}\n{done.stdout}\n")
    return done.returncode == 0, done.stdout


OFFLINE = re.compile(
    "connection broken|max retries|connecttimeout|readtimeout|timed out|connection refused|"
    "name resolution|error sending request|failed to fetch|network connectivity|certificate",
    re.IGNORECASE,
)


def why(output: str, advice: str = "run this again, and read .venv/setup.log") -> str:
    """The sentence for what an installer said when it failed."""
    if re.search("no space left|not enough space|os error 28", output, re.IGNORECASE):
        return "the disk is full: make room, and run this again."
    if re.search("not match the hashes|hash mismatch", output, re.IGNORECASE):
        return (
            "a package is not the one that the lock names, so nothing of it was installed: try "
            "another network, and if that does not help, tell the authors."
        )
    if OFFLINE.search(output):
        return (
            "the packages cannot be fetched: connect to the network (if it has a proxy or a "
            "mirror, tell pip of it), and run this again."
        )
    last = output.strip().rpartition("\n")[2]
    return f"set-up failed ({last}): {advice}."


# -- one job -----------------------------------------------------------------------------------


def run(*command: str) -> int:
    """Run the Python of `.venv`, hand signals on to it, and give its exit code."""
    foreign = {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX"}
    env = {name: value for name, value in os.environ.items() if name not in foreign}
    env["PATH"] = str(PYTHON.parent) + os.pathsep + env.get("PATH", os.defpath)
    env["VIRTUAL_ENV"] = str(VENV)
    # A kernel named python3 in the user's own folders must not win over the one in .venv.
    env["JUPYTER_PREFER_ENV_PATH"] = "1"
    # A proxy has no business between two programs of one machine.
    theirs = env.get("no_proxy") or env.get("NO_PROXY")
    for name in ("NO_PROXY", "no_proxy"):
        env[name] = ",".join(filter(None, [theirs, "127.0.0.1", "localhost"]))
    child = subprocess.Popen([PYTHON, *command], env=env, cwd=ROOT)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        # Ctrl-C reaches the child too, and it is the child that says what that means.
        with contextlib.suppress(KeyboardInterrupt):
            code = child.wait()
            return code if code >= 0 else 128 - code


def lab(arguments: list[str]) -> int:
    """Open the notebooks in JupyterLab, as copies in work/."""
    parser = argparse.ArgumentParser("workshop.py lab", add_help=False, allow_abbrev=False)
    parser.add_argument("--fresh", metavar="NAME")
    parser.add_argument("--committed", action="store_true")
    own, rest = parser.parse_known_args(arguments)
    name = FIRST
    if own.fresh is not None:
        name = Path(own.fresh).name.removesuffix(".ipynb") + ".ipynb"
        if not (NOTEBOOKS / name).is_file():
            names = ", ".join(sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
            raise Trouble(f"there is no notebook '{own.fresh}': --fresh takes one of {names}.")
    set_up(CORE)
    if own.committed:
        page = NOTEBOOKS / name
    else:
        with alone():
            page = WORK / (unused(name) if own.fresh is not None else name)
            if os.path.lexists(WORK) and not WORK.is_dir():
                raise Trouble("'work' is in the way, for it is no folder: move it elsewhere.")
            WORK.mkdir(exist_ok=True)
            if own.fresh is not None:
                copy_file(NOTEBOOKS / name, page)
            copy_folder(NOTEBOOKS, WORK)
    where = quote((page if page.is_file() else page.parent).relative_to(ROOT).as_posix())
    ours = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{where}"]
    if sys.platform != "win32" and os.geteuid() == 0:
        ours.append("--allow-root")
    return run("-m", "jupyterlab", *ours, *rest)


def unused(name: str) -> str:
    """The name itself, or with -2, -3, ...: the first that is not in work/."""
    stem, number = name.removesuffix(".ipynb"), 1
    while os.path.lexists(WORK / name):
        number += 1
        name = f"{stem}-{number}.ipynb"
    return name


def copy_folder(source: Path, target: Path) -> None:
    """Copy what is not there yet: files and folders, and nothing that is a link to one."""
    if not source.is_dir():
        return
    for entry in os.scandir(source):
        there = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            if (
                entry.name not in (".ipynb_checkpoints", "__pycache__")
                and not there.is_symlink()
            ):
                there.mkdir(exist_ok=True)
                copy_folder(Path(entry.path), there)
        elif entry.is_file(follow_symlinks=False) and not os.path.lexists(there):
            copy_file(Path(entry.path), there)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, a notebook without its outputs, so that predictions come before answers."""
    data = source.read_bytes()
    if source.suffix == ".ipynb":
        notebook = json.loads(data)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell.update(execution_count=None, outputs=[])
        data = (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode()
    # A half-written copy would never be mended, since what exists is left alone.
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.replace(target)


def test(arguments: list[str]) -> int:
    """Run everything that must hold: style, types, tests, notebooks, slides, browser."""
    set_up(ALL)
    return run("-m", "pytest", *arguments)


def slides(arguments: list[str]) -> int:
    """Build the deck and its pages, slides/build/index.html; --pdf, --check."""
    set_up(ALL)
    return run("-m", "slides", *arguments)


def refresh(arguments: list[str]) -> int:
    """Run the committed notebooks again and keep their outputs; --check only compares."""
    set_up(ALL)
    return run("-m", "tests.refresh", *arguments)


def bench(arguments: list[str]) -> int:
    """Measure: [NAME] is one of the benchmarks, which it lists when there is none."""
    scripts = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("[!_]*.py"))}
    if arguments and not arguments[0].startswith("-"):
        name, *arguments = arguments
    else:
        name = "styles"
        for stem, path in scripts.items():
            story = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            print(f"  {stem:<12} {story.partition(chr(10))[0]}")
    if name not in scripts:
        raise Trouble(
            f"there is no benchmark '{name}': bench takes one of {', '.join(scripts)}."
        )
    set_up(ALL)
    return run(str(scripts[name]), *arguments)


# -- check -------------------------------------------------------------------------------------


def check(_: list[str]) -> int:
    """Say whether this machine is ready for the day, and what to do if it is not."""
    problems = 0
    for state, text in findings():
        print(f"{state:<10} {text}")
        problems += state == "problem"
    print("This machine is not ready." if problems else "This machine is ready for the day.")
    return 1 if problems else 0


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
            "import tornado, requests, greenlet, jupyterlab, ipykernel, nbconvert, stormy_demo"
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


def find_chromium() -> str | None:
    """The Chromium, Chrome or Edge of this machine, for the browser tests."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
    places = [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ]
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        for program in (
            "Google/Chrome/Application/chrome",
            "Microsoft/Edge/Application/msedge",
        ):
            places.append(f"{os.environ.get(variable, '')}/{program}.exe")
    found = [shutil.which(name) for name in names] + [p for p in places if Path(p).is_file()]
    return next(filter(None, found), None)


def allow_open_files() -> float:
    """Raise the limit on open files where the system lets us, and give what it is then.

    Children inherit it. In a notebook client and server share it: a connection takes two.
    """
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            # macOS calls its hard limit unlimited, and then refuses more than it likes.
            for wanted in (65_536, 10_240, 1_024):
                limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
                if limit > soft:
                    with contextlib.suppress(OSError, ValueError):
                        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                        return limit
            return soft
    return math.inf


# -- the door ----------------------------------------------------------------------------------

VERBS: dict[str, Callable[[list[str]], int]] = {
    each.__name__: each for each in (lab, check, test, slides, refresh, bench)
}
PAGE = """\
Stormy Webber: asynchronous Python with Tornado.

  python3 workshop.py VERB [ARGUMENTS]     (on Windows: py workshop.py VERB [ARGUMENTS])

{verbs}

The first run of a verb installs what it needs into .venv, and wants the network for that.
`lab` never overwrites a notebook in work/: `lab --fresh 01_callbacks` adds a clean copy, and
`lab --committed` opens notebooks/ itself. More arguments go to JupyterLab, pytest, and so on.
"""


def main(arguments: list[str]) -> int:
    """Open the door for one verb; give the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        lines = (f"  {name:<9} {verb.__doc__}" for name, verb in VERBS.items())
        print(PAGE.format(verbs="\n".join(lines)).rstrip())
        return 0
    name, *rest = arguments
    if name not in VERBS:
        near = difflib.get_close_matches(name, VERBS, 1)
        hint = f"did you mean {near[0]}?" if near else f"take one of {', '.join(VERBS)}."
        print(f"workshop.py: there is no verb '{name}': {hint}", file=sys.stderr)
        return 2
    try:
        allow_open_files()
        return VERBS[name](rest)
    except Trouble as trouble:
        print(f"workshop.py: {trouble}", file=sys.stderr)
    except OSError as problem:
        print(f"workshop.py: {describe(problem)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nworkshop.py: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 1


def describe(problem: OSError) -> str:
    """The sentence for what the operating system refused."""
    if problem.errno == errno.ENOSPC:
        return "the disk is full: make room, and run this again."
    what = f"{problem.filename}: {problem.strerror}" if problem.filename else str(problem)
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what}: copy the project to a folder of your own, and run workshop.py there."
    return f"{what}: put that right, and run this again."


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # A console may lack a character of a path; and the children print in between.
        stream.reconfigure(errors="replace", line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
