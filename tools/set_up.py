"""Set-up: `.venv` from a lock, with hashes, and the project put on its path.

Standard library only, since this runs before there is anything else.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import hashlib
import importlib.machinery
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN, EXE = ("Scripts", ".exe") if sys.platform == "win32" else ("bin", "")
PYTHON, UV = VENV / BIN / f"python{EXE}", VENV / BIN / f"uv{EXE}"
# A folder of wheels beside the kit, as a stick has it: what is there is not fetched.
WHEELS = ROOT / "wheels"
STAMP, LOG = VENV / "stormy.stamp", VENV / "setup.log"
CORE, ALL = "requirements.lock", "requirements-all.lock"
MEGABYTES = {CORE: 600, ALL: 1500}  # the installers' caches included
# A .venv is good for one kind of Python, because of its compiled packages, and for one folder,
# since its scripts name it.
BUILT_FOR = [importlib.machinery.EXTENSION_SUFFIXES[0], str(ROOT)]
Command = list[str | Path]


class Trouble(Exception):
    """What stands in the way, as one sentence that says what to do."""


class Misuse(Trouble):
    """A word that a verb does not take; nothing has been done yet."""


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
    return stamp[:2] == BUILT_FOR and digest(lock) in stamp and runs()


def read_stamp() -> list[str]:
    """What the last set-up to be finished wrote: Python, place, digests of its locks."""
    with contextlib.suppress(OSError, ValueError):
        return STAMP.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return []


def digest(lock: str) -> str:
    """The SHA-256 of what a lock installs: line endings and comments do not count."""
    pins = [line for line in read_lock(lock).splitlines() if not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(pins).encode()).hexdigest()


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
    return done.stdout.strip() == BUILT_FOR[0]


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
        # Some network file systems have no locks; there, two at once are not kept apart.
        return problem.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def build(lock: str) -> None:
    """Make `.venv`, or add what it lacks; the stamp comes last, and so tells of an end."""
    sound = read_stamp()[:2] == BUILT_FOR and runs()
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
        # uv is kept over a rebuild: a moved folder may be without a network now.
        uv = Path(shutil.copy2(UV, spare)) if UV.exists() and not sound else UV
        if not sound:
            make_venv()
        install(lock, uv)
    site = sysconfig.get_path("purelib", "venv", {"base": str(VENV)})
    # A relative path is plain ASCII: some Pythons read .pth files in the locale's encoding.
    write(Path(site, "stormy_demo.pth"), os.path.relpath(ROOT, site))
    news = {"fetchNews": "false", "checkForUpdates": False}
    settings = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    write(settings, json.dumps({"@jupyterlab/apputils-extension:notification": news}))
    locks = [CORE, ALL] if lock == ALL else [CORE]
    write(STAMP, "\n".join(BUILT_FOR + [digest(each) for each in locks]))


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
    # This may be running on the Python of the very .venv that is to be replaced.
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
    # uv has no wheel for some platforms that pip serves.
    write(all_but_uv, read_lock(lock).replace(block, ""))
    # By its name, since every step is run in ROOT: a path may have what an installer splits.
    local: Command = ["--no-index", "--find-links", WHEELS.name] if WHEELS.is_dir() else []
    ways: list[Command] = [[*pip, all_but_uv]]
    env = installers_environment()
    if block and (local or "PIP_NO_INDEX" not in env):
        ready, output = quietly([uv, "--version"], env)
        if not (ready and output.startswith(f"uv {version} ")):
            uv = UV
            ready, output = quietly([*pip, *local, only_uv], env)
            if local and not ready:
                ready, output = quietly([*pip, only_uv], env)
        if ready:
            # Offline first: it fails at once, and a second clone then needs no network.
            ways = [[uv, *fast, "--offline"], [uv, *fast], *ways]
        elif OFFLINE.search(output):
            ways = []
    if local:
        first: Command = [uv, *fast, "--offline"] if uv.exists() else [*pip, all_but_uv]
        ways = [[*first, *local], *ways]
    for way in ways:
        if way[0] is PYTHON:
            print("Installing with pip, which can take some minutes ...")
        done, output = quietly(way, env)
        if done:
            return
        if not {"--offline", "--no-index"} & set(way) and NO_WHEEL.search(output):
            # pip would say the same, and take longer.
            break
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


NO_WHEEL = re.compile(
    r"(?:Because |No matching distribution found for )([\w.-]+)==\S*"
    r"(?: has no (?:usable )?wheels|$)",
    re.MULTILINE,
)
# The Pythons for which all pins have wheels, and which CI tries.
PYTHONS = "3.11 to 3.15"


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
    if found := NO_WHEEL.search(output):
        return (
            f"the package {found[1]} has no wheel for Python {sysconfig.get_python_version()} "
            f"on this machine: install a Python from {PYTHONS}, and start workshop.py with it."
        )
    last = output.strip().rpartition("\n")[2]
    return f"set-up failed ({last}): {advice}."
