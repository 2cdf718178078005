"""The wheels of a lock, for every system and Python that a stick is for: fetched, and checked.

`python3 workshop.py stick FOLDER` runs this on the Python of `.venv`, which has pip and
packaging. pip fetches, since uv can only install. What a marker asks it answers for the Python
that it runs on, so the markers are answered here, and it is given what is left of the lock.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from tools.bundled_pip import OF_VENV
from tools.installers import installers_environment
from tools.locks import CORE, read_lock
from tools.paths import WHEELS
from tools.steps import quietly
from tools.stick import size_in_mb, told_in_words
from tools.systems import Pair, pairs
from tools.trouble import Trouble
from tools.words import NO_WHEEL, why

PIN = re.compile(r"^([^\s=]+)==(\S+)(?: ; (.+?))? \\\n((?: +--hash=.*\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """What a lock says of one version of one package.

    Attributes:
        name: of the package.
        version: the only one.
        marker: for whom it is, or nothing.
        hashes: the SHA-256 of its files.
    """

    name: str
    version: str
    marker: str
    hashes: frozenset[str]

    def __str__(self) -> str:
        """Return it as a requirement, without the marker."""
        hashes = " ".join(f"--hash=sha256:{each}" for each in sorted(self.hashes))
        return f"{self.name}=={self.version} {hashes}"


def pins(lock: str) -> list[Pin]:
    """Return what a lock says.

    Args:
        lock: its text.
    """
    return [
        Pin(name, version, marker, frozenset(re.findall(r"sha256:([0-9a-f]{64})", hashes)))
        for name, version, marker, hashes in PIN.findall(lock)
    ]


class Shelf:
    """A folder with wheels of a lock, and with no others.

    Args:
        folder: where they are; it is made.
        wanted: what the lock says.

    Attributes:
        wheels: the pin and the tags of each, by the name of its file.
    """

    def __init__(self, folder: Path, wanted: list[Pin]) -> None:
        self.folder = folder
        self.wanted = wanted
        self.wheels: dict[str, tuple[Pin, frozenset[Tag]]] = {}
        folder.mkdir(exist_ok=True)
        self.look()

    def look(self) -> None:
        """Take in what is new in the folder; what the lock does not name is removed."""
        for file in sorted(self.folder.glob("*.whl")):
            if file.name not in self.wheels:
                if found := self._of_the_lock(file):
                    self.wheels[file.name] = found
                else:
                    file.unlink()

    def _of_the_lock(self, file: Path) -> tuple[Pin, frozenset[Tag]] | None:
        try:
            name, version, _, tags = parse_wheel_filename(file.name)
        except InvalidWheelFilename:
            return None
        for pin in self.wanted:
            if (pin.name, Version(pin.version)) == (name, version):
                with file.open("rb") as content:
                    digest = hashlib.file_digest(content, "sha256").hexdigest()
                return (pin, tags) if digest in pin.hashes else None
        return None

    def lacks(self, pair: Pair) -> list[Pin]:
        """Return what would be installed there, and has no wheel here."""
        there = {pin for pin, tags in self.wheels.values() if tags & pair.tags}
        return [pin for pin in self.wanted if pair.wants(pin.marker) and pin not in there]

    def add(self, pair: Pair) -> None:
        """Fetch what a pair lacks.

        Raises:
            Trouble: something else went wrong than that there is no such wheel.
        """
        missing = self.lacks(pair)
        # pip takes one version of a package at a time.
        while missing:
            several = {pin.name: pin for pin in missing}
            fetch(pair, [*several.values()], self.folder)
            missing = [pin for pin in missing if pin is not several[pin.name]]
        self.look()


def fetch(pair: Pair, wanted: list[Pin], folder: Path) -> None:
    """Fetch wheels, as far as there are any.

    Args:
        pair: for whom.
        wanted: no two versions of one package.
        folder: where they are put.

    Raises:
        Trouble: there is no network, no room, or something else went wrong.
    """
    where = [word for name in pair.system.platforms for word in ("--platform", name)]
    whose = ["--implementation=cp", f"--python-version={pair.python}", *where]
    # pip takes "3.11" for 3.11.0, and would pass over what wants a later release of it.
    how = ["--ignore-requires-python", "--only-binary=:all:", "--no-deps", "--require-hashes"]
    env = installers_environment()
    with tempfile.TemporaryDirectory() as spare:
        listed = Path(spare, "wanted.txt")
        while wanted:
            listed.write_text("\n".join(map(str, wanted)) + "\n", encoding="utf-8")
            command = [*OF_VENV, "download", *how, *whose, "-r", listed, "--dest", folder]
            done, said = quietly(command, env)
            if done:
                return
            none = NO_WHEEL.search(said)
            left = [pin for pin in wanted if not none or pin.name != none[1].lower()]
            if len(left) == len(wanted):
                raise Trouble(why(said))
            wanted = left


def fill(folder: Path, wanted: list[Pin], those: list[Pair]) -> Shelf:
    """Fetch all wheels that are not there yet, and say how far it is.

    Args:
        folder: where they are put.
        wanted: what a lock says.
        those: for whom.

    Returns:
        What is in the folder then.

    Raises:
        Trouble: there is no network, no room, or something else went wrong.
    """
    shelf = Shelf(folder, wanted)
    # Whoever has a stick, and no network, can make another.
    for wheel in sorted(WHEELS.glob("*.whl")):
        if wheel.name not in shelf.wheels:
            shutil.copyfile(wheel, folder / wheel.name)
    shelf.look()
    for pair in those:
        if missing := shelf.lacks(pair):
            print(f"{pair}: wheels to fetch: {len(missing)}", flush=True)
            shelf.add(pair)
        else:
            print(f"{pair}: all wheels are there", flush=True)
    return shelf


def shortcomings(shelf: Shelf, those: list[Pair]) -> list[str]:
    """Return a sentence for each package that has no wheel for somebody, with what follows."""
    lacking: dict[Pin, list[Pair]] = defaultdict(list)
    for pair in those:
        for pin in shelf.lacks(pair):
            lacking[pin].append(pair)
    return [
        f"{pin.name} {pin.version} has no wheel for {'; '.join(map(str, some))}: "
        # uv has a substitute in pip.
        + ("set-up is slower there." if pin.name == "uv" else "lab wants a network there.")
        for pin, some in lacking.items()
    ]


def main() -> int:
    """Fetch the wheels for the stick that the command line names; return the exit code."""
    # By itself SIGTERM would leave a pip behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    start, stick, those = time.monotonic(), Path(sys.argv[1]), pairs()
    try:
        with told_in_words(stick):
            shelf = fill(stick / WHEELS.name, pins(read_lock(CORE)), those)
            size = size_in_mb(stick)
    except Trouble as trouble:
        print(f"workshop.py: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nworkshop.py: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    for sentence in shortcomings(shelf, those):
        print(sentence)
    whom = f"{len(those)} pairs of a system and a Python"
    took = f"{time.monotonic() - start:.0f} s"
    print(f"{stick}: {len(shelf.wheels)} wheels for {whom}, {size} MB in all, made in {took}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
