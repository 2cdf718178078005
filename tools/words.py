"""What the words of an installer mean: one sentence, with what to do."""

from __future__ import annotations

import os
import re
import sys
import sysconfig

from tools import pip_settings, place
from tools.locks import PYTHONS, minors
from tools.paths import WHEELS

FULL = re.compile(r"no space left|not enough space|quota exceeded|os error 28\b", re.IGNORECASE)
OTHER = re.compile("not match the hashes|hash mismatch", re.IGNORECASE)
TOO_LONG = re.compile(
    r"name too long|long path support|os error (36|63|206)\b|winerror 206\b", re.IGNORECASE
)
DENIED = re.compile(
    r"permission denied|access is denied|operation not permitted|os error (5|13)\b|"
    # What a program uses, Windows does not let go, and it says so in the user's language.
    r"winerror (5|32)\b" + (r"|os error 32\b" if sys.platform == "win32" else ""),
    re.IGNORECASE,
)
SOCKS = re.compile("dependencies for SOCKS", re.IGNORECASE)
# A value of a setting that pip does not take, in pip's own words.
MISSET = re.compile(
    r"An error occurred during configuration: option (?:--)?(?P<option>[\w-]+)|"
    r"is not a valid value for (?P<switch>[\w-]+) option"
)
NO_FILE = re.compile(r"TLS CA certificate bundle, invalid path: (.*)")
UNTRUSTED = re.compile(
    "certificate.?verify|invalid peer certificate|self.signed", re.IGNORECASE
)
OFFLINE = re.compile(
    "connection broken|max retries|connecttimeout|readtimeout|timed out|connection refused|"
    "name resolution|error sending request|failed to fetch|network connectivity|certificate|"
    "dependencies for SOCKS",
    re.IGNORECASE,
)
NO_WHEEL = re.compile(
    r"(?:Because |No matching distribution found for )([\w.-]+)==\S*"
    r"(?: has no (?:usable )?wheels|$)",
    re.MULTILINE,
)


def why(output: str, advice: str = "run this again, and read .venv/setup.log") -> str:
    """Return the sentence for what an installer said when it failed.

    Args:
        output: all that it said.
        advice: what to do if its words mean nothing to us.
    """
    if FULL.search(output):
        return "the disk is full: make room, and run this again."
    if OTHER.search(output):
        return (
            "a package is not the one that the lock names, so nothing of it was installed: try "
            "another network, and if that does not help, tell the authors."
        )
    if TOO_LONG.search(output):
        return (
            "the path of this folder is too long: move the folder to a place with a shorter "
            "path, and run workshop.py there."
        )
    if found := MISSET.search(output):
        name = found["option"] or found["switch"]
        setting = pip_settings.read().get(name.removeprefix("default-"))
        where = f" in {setting.place}" if setting else ""
        return f"pip does not take its setting '{name}'{where}: correct it, and run this again."
    if DENIED.search(output):
        return place.not_ours() or (
            f"a file cannot be written or removed ({last_line(output)}): close what uses "
            ".venv, such as JupyterLab, delete .venv, and run this again."
        )
    return why_not_fetched(output) or f"set-up failed ({last_line(output)}): {advice}."


def why_not_fetched(output: str) -> str | None:
    """Return the sentence for a network or an index that does not give what is asked for."""
    if SOCKS.search(output):
        return (
            "pip, which fetches the first package, cannot go through a SOCKS proxy "
            f"({', '.join(socks())}): set HTTPS_PROXY to an HTTP proxy, or unset these in a "
            "network that needs no proxy, and run this again."
        )
    if found := NO_FILE.search(output):
        return (
            f"pip is told of a file of certificates that is not there ({found[1].strip()}): "
            "correct its setting 'cert', or the variable that names it, and run this again."
        )
    if UNTRUSTED.search(output):
        return (
            "this network shows a certificate that pip does not trust: ask whoever runs the "
            "network for the file of its certificate, tell pip of it (`pip config set "
            "global.cert FILE`), and run this again."
        )
    if OFFLINE.search(output):
        lacking = "wheels/ has not all that is needed, and " if WHEELS.is_dir() else ""
        return (
            f"{lacking}the packages cannot be fetched: connect to the network (if it has a "
            "proxy or a mirror, tell pip of it), and run this again."
        )
    if found := NO_WHEEL.search(output):
        return why_no_wheel(found[1])
    return None


def socks() -> list[str]:
    """Return what names a SOCKS proxy: variables, or pip's own setting."""
    named = [
        name
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") and value.lower().startswith("socks")
    ]
    return sorted(named) or ["pip's setting 'proxy'"]


def why_no_wheel(package: str) -> str:
    """Return the sentence for a package that there is, but not for this Python or machine."""
    here = f"for Python {sysconfig.get_python_version()} on this machine"
    cure = f"install a Python from {PYTHONS}{kind()}, and start workshop.py with it."
    if not kind() and sys.version_info[1] in minors():
        cure = "take another machine, for this system or this kind of processor has none."
    if index := pip_settings.read().get("index-url"):
        return (
            f"the index that pip is told of in {index.place} has no wheel of the package "
            f"{package} {here}: ask whoever keeps it for that, or {cure}"
        )
    return f"the package {package} has no wheel {here}: {cure}"


def kind() -> str:
    """Return what must be different about the Python, apart from its version."""
    if sys.implementation.name != "cpython":
        return ", of the usual kind, CPython"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return ", with its lock, not free-threaded"
    if sys.maxsize <= 2**32:
        return ", of 64 bits"
    if sysconfig.get_platform() == "win-arm64":
        return ", for x86-64, which runs on ARM too"
    return ""


def last_line(output: str) -> str:
    """Return the last line of what was said."""
    return output.strip().rpartition("\n")[2]
