"""The packages of a lock: fetched and installed by uv, or by pip where there is no uv."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from tools import bundled_pip, pip_settings, quick
from tools.locks import pin_of_uv, read_lock
from tools.paths import PYTHON, ROOT, VENV, WHEELS
from tools.steps import STRICTLY, Command, quietly, write
from tools.trouble import Trouble
from tools.words import MISSET, NO_WHEEL, OFFLINE, why

# By its name, since every step is run in ROOT: a path may have what an installer splits.
FROM_WHEELS = ("--no-index", "--find-links", WHEELS.name)
# What uv says when it stopped while it was putting packages in their places: of one of them
# there may be half, which the next way would take for the whole.
HALF = "Failed to install"
# Some folders, as those that a cloud keeps, take no hard links.
UV_ANEW = ("--reinstall", "--link-mode=copy")
PIP_ANEW = ("--ignore-installed",)


def install(lock: str, env: dict[str, str]) -> None:
    """Install what a lock has into `.venv`.

    Args:
        lock: its name.
        env: the environment of installers.

    Raises:
        Trouble: it cannot be fetched, or not be installed.
    """
    is_half = False
    try:
        for way in ways(lock, env):
            if way[0] == PYTHON:
                print("Installing with pip, which can take some minutes ...")
            if is_half:
                way = [*way, *(PIP_ANEW if way[0] == PYTHON else UV_ANEW)]
            done, output = quietly(way, env)
            if "Failed to initialize cache" in output:
                # The person has no home, or may not write there.
                done, output = quietly([*way, "--no-cache"], env)
            if done:
                return
            is_half = is_half or HALF in output
            if not {"--offline", "--no-index"}.intersection(way) and NO_WHEEL.search(output):
                # pip would say the same, and take longer.
                break
    finally:
        quick.forget()
    raise Trouble(why(output))


def ways(lock: str, env: dict[str, str]) -> Iterator[Command]:
    """Yield the commands that may install a lock, in the order in which they are tried.

    Args:
        lock: its name.
        env: the environment of installers.

    Raises:
        Trouble: nothing can be fetched.
    """
    all_but_uv = VENV / "all-but-uv.txt"
    # uv has no wheel for some platforms that pip serves.
    write(all_but_uv, read_lock(lock).replace(pin_of_uv(), ""))
    uv, output = quick.at_hand(env), ""
    if not uv and not is_yes(env.get("PIP_NO_INDEX", "")):
        uv, output = quick.fetched(env)
    # pip would not get any further with the rest.
    is_in_vain = bool(OFFLINE.search(output) or MISSET.search(output))
    if uv:
        fast = [uv.program, "pip", "install", *STRICTLY, "-r", ROOT / lock, *uv.options]
        fast += ["--no-config", "--python", PYTHON]
        if WHEELS.is_dir():
            yield [*fast, "--offline", *FROM_WHEELS]
        # Offline first: it fails at once, and a second clone then needs no network.
        yield [*fast, "--offline"]
        yield fast
    elif is_in_vain and not WHEELS.is_dir():
        raise Trouble(why(output))
    try:
        pip = bundled_pip.command()
    except Trouble:
        if uv:
            # What it said is what stands in the way.
            return
        raise
    slow = [*pip, "install", *STRICTLY, "-r", all_but_uv]
    if WHEELS.is_dir() and not uv:
        yield [*slow, *FROM_WHEELS]
    if not is_in_vain:
        yield slow


def is_yes(value: str) -> bool:
    """Return whether pip takes the value of a switch for a yes."""
    return value.lower() in ("y", "yes", "t", "true", "on", "1")


def installers_environment() -> dict[str, str]:
    """Return the environment of pip and uv: the way to the index is the user's, all else ours.

    A mirror, a proxy or a certificate in pip's own settings is the only way out of some
    networks. The rest of those settings (a target folder, constraints, ...) would break set-up.

    Raises:
        Trouble: one of pip's files has a mistake.
    """
    ours = ("PIP_", "PYTHON", "UV_", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env.update(PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_RETRIES="2")
    for name, setting in pip_settings.read().items():
        env[f"PIP_{name.upper().replace('-', '_')}"] = setting.value
    for pips, uvs in (
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST"),
        ("PIP_PROXY", "ALL_PROXY"),
        ("PIP_CERT", "SSL_CERT_FILE"),
    ):
        if pips in env:
            env.setdefault(uvs, env[pips])
    uvs = "UV_(.*INDEX.*|CACHE_DIR|OFFLINE|HTTP_.*|SYSTEM_CERTS|NATIVE_TLS|INSECURE_HOST)"
    env |= {k: v for k, v in os.environ.items() if re.fullmatch(uvs, k)}
    # pip fetches the first package, also for people who have told nobody but uv.
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if name in env:
            env.setdefault("PIP_INDEX_URL", env[name])
    return env
