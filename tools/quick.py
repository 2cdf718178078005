"""uv, which installs several times as fast as pip, and where it comes from.

pip fetches its wheel once. uv does not keep its own wheel as it keeps others, so it is laid
beside them: a second clone, or a folder that was moved, is then set up without a network.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tools import bundled_pip
from tools.locks import pin_of_uv
from tools.paths import EXE, ROOT, UV, VENV, WHEELS
from tools.steps import STRICTLY, Command, quietly, write

# Programs may be forbidden where the system has its temporary files.
SPARE = VENV / "uv"
ONLY_UV = VENV / "uv.txt"


@dataclass(frozen=True)
class Uv:
    """A uv that starts here, in the version of the lock.

    Attributes:
        program: what is started.
        options: where it finds its own wheel, unless it is installed already.
    """

    program: Path
    options: Command = field(default=())

    @classmethod
    def of(cls, wheel: Path) -> Uv | None:
        """Return that of a wheel, if the wheel is what the lock names and for this machine."""
        program = SPARE / f"uv{EXE}"
        try:
            if hashlib.sha256(wheel.read_bytes()).hexdigest() not in pin_of_uv():
                return None
            with zipfile.ZipFile(wheel) as archive:
                inside = f".data/scripts/{program.name}"
                [name] = [name for name in archive.namelist() if name.endswith(inside)]
                write(program, "")
                program.write_bytes(archive.read(name))
            program.chmod(0o755)
        except (OSError, ValueError, zipfile.BadZipFile):
            return None
        return cls(program, beside(wheel)) if starts(program) else None


def beside(wheel: Path) -> Command:
    """Return the options by which an installer finds a wheel."""
    return ("--find-links", wheel.parent.as_uri())


def starts(program: Path) -> bool:
    """Return whether a uv starts, and is that of the lock."""
    done, output = quietly([program, "--version"])
    return done and ["==".join(output.split()[:2])] == pin_of_uv().split()[:1]


def at_hand(env: Mapping[str, str]) -> Uv | None:
    """Find uv where no network is wanted: in `.venv`, where it is kept, or on a stick.

    Args:
        env: the environment of installers.
    """
    if not pin_of_uv():
        return None
    if starts(UV):
        return Uv(UV)
    kept = kept_in(env)
    for wheel in kept.glob("uv-*.whl") if kept else ():
        if uv := Uv.of(wheel):
            return uv
    for wheel in on_the_stick():
        if uv := Uv.of(wheel):
            return replace(uv, options=beside(keep(wheel, kept)))
    return None


def on_the_stick() -> Iterator[Path]:
    """Yield the wheels of uv on a stick, which has one for each system, the likeliest first."""
    system = sysconfig.get_platform().partition("-")[0]
    machine = platform.machine().lower()

    def unlikely(wheel: Path) -> int:
        return (system not in wheel.name) + (machine not in wheel.name)

    yield from sorted(WHEELS.glob("uv-*.whl"), key=unlikely)


def fetched(env: Mapping[str, str]) -> tuple[Uv | None, str]:
    """Have pip fetch uv.

    Args:
        env: the environment of installers.

    Returns:
        uv, or what pip said when it could not fetch it.

    Raises:
        Trouble: there is no pip.
    """
    if not pin_of_uv():
        return None, ""
    write(ONLY_UV, pin_of_uv())
    download = [*bundled_pip.command(), "download", *STRICTLY]
    done, output = quietly([*download, "--dest", SPARE, "-r", ONLY_UV], env)
    for wheel in SPARE.glob("uv-*.whl"):
        if uv := Uv.of(keep(wheel, kept_in(env))):
            return uv, ""
    return None, "" if done else output


def kept_in(env: Mapping[str, str]) -> Path | None:
    """Return where uv's wheel is kept: in uv's cache, by the kind of machine it is for."""
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()
    if own := env.get("UV_CACHE_DIR"):
        cache = ROOT / own
    elif sys.platform == "win32":
        cache = Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local", "uv", "cache")
    else:
        cache = Path(env.get("XDG_CACHE_HOME") or home / ".cache", "uv")
    return cache / "stormy-webber" / sysconfig.get_platform() if cache.is_absolute() else None


def keep(wheel: Path, kept: Path | None) -> Path:
    """Keep a wheel if that can be done, and return where it is now."""
    if kept:
        with contextlib.suppress(OSError):
            kept.mkdir(parents=True, exist_ok=True)
            # Another clone may be looking at the same time.
            half = Path(shutil.copyfile(wheel, kept / f"{os.getpid()}.part"))
            half.replace(kept / wheel.name)
            return kept / wheel.name
    return wheel


def forget() -> None:
    """Remove the spare program, and what else was only there for a moment."""
    shutil.rmtree(SPARE, ignore_errors=True)
