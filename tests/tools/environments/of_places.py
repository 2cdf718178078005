"""Where a clone lies, and whose it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from tests.addresses import nobody_listens
from tests.houses import door

from .mounts import can_mount, mounted, within
from .row import Place, Row

POSIX = ("linux", "darwin")


def named(name: str | bytes) -> Callable[[Place], None]:
    """Give a house another name."""

    def lay(place: Place) -> None:
        place.house = place.house.rename(place.house.parent / os.fsdecode(name))

    return lay


def deep(place: Place) -> None:
    """Have long paths: more than a socket or the first line of a script may have."""
    place.environment["TMPDIR"] = str(place.spare / ("t" * 120))
    os.mkdir(place.environment["TMPDIR"])  # noqa: PTH102
    parent = place.house.parent / "/".join(["a" * 60] * 6)
    parent.mkdir(parents=True)
    place.house = place.house.rename(parent / "house")


def without_a_network(place: Place) -> None:
    """Let no installer reach the index, which stays the same: uv keeps each index apart."""
    url = place.leaving.enter_context(nobody_listens())
    proxies = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    place.environment |= {**dict.fromkeys(proxies, url), "NO_PROXY": "", "no_proxy": ""}
    place.environment |= {"PIP_FIND_LINKS": str(place.spare), "PIP_NO_CACHE_DIR": "1"}


def moved(place: Place) -> None:
    """Set a house up, and move it."""
    assert door(place.house, "bench", "styles", **place.environment).returncode == 0
    place.house = place.house.rename(place.house.with_name("moved"))
    without_a_network(place)


def second(place: Place) -> None:
    """Set a house up, and go to another."""
    other = place.house.with_name("second")
    shutil.copytree(place.house, other)
    place.environment["UV_CACHE_DIR"] = str(place.spare / "uv")
    assert door(place.house, "bench", "styles", **place.environment).returncode == 0
    place.house = other
    without_a_network(place)


def another_disk(place: Place) -> None:
    """Have uv's cache on a disk from which no hard link leads to the house."""
    cache = place.spare / "cache"
    cache.mkdir()
    place.environment["UV_CACHE_DIR"] = str(cache)
    within(place, f"mount -t tmpfs none '{cache}'")


def somebody_elses(place: Place) -> None:
    """Have a clone that belongs to a user whom this one may not stand in for."""
    (place.house / ".workshop.lock").touch()
    if os.geteuid() == 0:
        for path in (place.house, *place.house.rglob("*")):
            os.chown(path, 65534, 65534)
        within(place, "true")
    else:
        (place.house / ".workshop.lock").chmod(0o444)


ROWS = [
    Row(
        what="a colon in the path",
        sees="Python cannot be set up in a folder with ':' in its path: rename the folder",
        lay=named("day 1: Tornado"),
        do=("lab",),
        code=1,
        systems=POSIX,
        small=True,
    ),
    Row(
        what="a line end in the path",
        sees="Python cannot be set up in a folder with a line end in its path: rename",
        lay=named("day 1\nTornado"),
        do=("lab",),
        code=1,
        systems=POSIX,
        small=True,
    ),
    Row(
        what="a folder whose name is not UTF-8",
        sees="the path of this folder is not in UTF-8",
        lay=named(b"\xdcbung"),
        do=("lab",),
        code=1,
        systems=("linux",),
        small=True,
    ),
    Row(
        what="all signs in the path that a shell, an address or a file of settings knows",
        sees="measured []",
        lay=named("""a; 100% #1 'b' "c" $d & {e} [f], ~g"""),
        do=("bench", "styles"),
        systems=POSIX,
        small=True,
    ),
    Row(
        what="a path too long for a socket, and for the first line of a script; so is `TMPDIR`",
        sees="measured []",
        lay=deep,
        do=("bench", "styles"),
        systems=POSIX,
        small=True,
    ),
    Row(
        what="a disk with `noexec`",
        sees="mounted with 'noexec', so that nothing installed here may run: move the folder",
        lay=lambda place: mounted(place, "noexec"),
        do=("lab",),
        code=1,
        systems=("linux",),
        small=True,
        can=can_mount,
    ),
    Row(
        what="a disk without symbolic links, such as exFAT",
        sees="measured []",
        lay=lambda place: mounted(place, "nosymfollow"),
        do=("bench", "styles"),
        systems=("linux",),
        small=True,
        can=can_mount,
    ),
    Row(
        what="a disk that cannot be written to",
        sees="cannot be written to: copy the project to a folder of your own",
        lay=lambda place: mounted(place, "ro"),
        do=("lab",),
        code=1,
        systems=("linux",),
        small=True,
        can=can_mount,
    ),
    Row(
        what="a clone of another user",
        sees="cannot be written to",
        lay=somebody_elses,
        do=("lab",),
        code=1,
        systems=("linux",),
        small=True,
        can=can_mount,
    ),
    Row(
        what="uv's cache on another disk, from which there are no hard links",
        sees="measured []",
        lay=another_disk,
        do=("bench", "styles"),
        systems=("linux",),
        small=True,
        can=can_mount,
    ),
    Row(
        what="a folder that was moved, without a network",
        sees="measured []",
        lay=moved,
        do=("bench", "styles"),
        absent="with pip",
        small=True,
    ),
    Row(
        what="a second clone, without a network",
        sees="measured []",
        lay=second,
        do=("bench", "styles"),
        absent="with pip",
        small=True,
    ),
]
