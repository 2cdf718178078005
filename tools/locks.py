"""The locks: which packages there are, with the hash of each."""

from __future__ import annotations

import hashlib
import re

from tools.paths import ROOT

CORE, ALL = "requirements.lock", "requirements-all.lock"
# The Pythons for which all pins have wheels, and which CI tries.
PYTHONS = "3.11 to 3.15"


def minors() -> range:
    """Return the second numbers of these Pythons' versions."""
    first, last = (int(version.partition(".")[2]) for version in PYTHONS.split(" to "))
    return range(first, last + 1)


def read_lock(lock: str) -> str:
    """Return the text of a lock."""
    return (ROOT / lock).read_text(encoding="utf-8")


def digest(lock: str) -> str:
    """Return the SHA-256 of what a lock installs: line endings and comments do not count."""
    pins = [line for line in read_lock(lock).splitlines() if not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(pins).encode()).hexdigest()


def count(lock: str) -> int:
    """Return how many packages a lock names."""
    return len(re.findall(r"^\S+==", read_lock(lock), re.MULTILINE))


def pin_of_uv() -> str:
    """Return the lines that pin uv, with its hashes; nothing where a lock has no uv."""
    pin = re.search(r"^uv==\S+.*\n(?: +--hash.*\n)+", read_lock(CORE), re.MULTILINE)
    return pin[0] if pin else ""
